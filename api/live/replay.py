"""What the live hub reads from PostgreSQL: how far a topic is, and what follows a number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.live.frames import event_frame
from api.live.topics import Kind, Topic
from api.live.windows import Item
from domain.events.encoding import encode
from domain.events.queries import events_after, last_numbers
from domain.runs.logs import last_lines, lines_after
from models.metrics import MetricTail
from models.runs import Run
from models.session import transaction

EVENTS = 500
LINES = 1_000

# After a restart all clients replay at once; the pool must keep room for new sockets.
_replaying = BoundedSemaphore(8)


def read_events(topic: Topic, after: int) -> list[Item]:
    """A page of durable news that follows a number."""
    with _replaying, transaction() as session:
        found = events_after(session, topic.name, after, EVENTS)
        return [Item(e.seq, event_frame(topic.name, e.seq, encode(e))) for e in found]


def read_lines(topic: Topic, after: int) -> list[Item]:
    """A page of log lines that follow a number."""
    with _replaying, transaction() as session:
        found = lines_after(session, topic.id, after, LINES)
    return [
        Item(line.number, orjson.dumps([line.number, line.stream, line.logged_ms, line.text]))
        for line in found
    ]


def read_progress(session: Session, run_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any] | None]:
    """The progress of each run as it was kept last."""
    found = session.execute(select(Run.id, Run.progress).where(Run.id.in_(list(run_ids))))
    return {run_id: progress for run_id, progress in found}


def last_number(session: Session, topic: Topic) -> int:
    """How far a topic is."""
    return standing(session, [topic]).get(topic.name, 0)


def standing(session: Session, topics: Iterable[Topic]) -> dict[str, int]:
    """How far each topic is, by name; progress has no numbers and is left out."""
    by_kind: dict[Kind, list[Topic]] = defaultdict(list)
    for topic in topics:
        by_kind[topic.kind].append(topic)
    durable = [topic.name for topic in by_kind[Kind.RUN] + by_kind[Kind.PROJECT]]
    numbers = dict(last_numbers(session, durable)) if durable else {}
    if logs := by_kind[Kind.LOG]:
        numbers |= _by_name(logs, last_lines(session, [topic.id for topic in logs]))
    if metrics := by_kind[Kind.METRICS]:
        numbers |= _by_name(metrics, _ordinals(session, [topic.id for topic in metrics]))
    return numbers


def _by_name(topics: Iterable[Topic], numbers: Mapping[UUID, int]) -> dict[str, int]:
    return {topic.name: numbers.get(topic.id, 0) for topic in topics}


def _ordinals(session: Session, run_ids: list[UUID]) -> dict[UUID, int]:
    found = session.execute(
        select(Run.id, MetricTail.ordinal)
        .join(MetricTail, MetricTail.run_number == Run.number)
        .where(Run.id.in_(run_ids))
    )
    return {run_id: ordinal for run_id, ordinal in found}
