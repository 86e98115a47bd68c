"""What is announced, where, and in which order.

News is written with the change it tells of, in the same transaction, and numbered without
gaps within its topic. Numbering a topic holds its row until the commit, so all of a
transaction's news is written at the very end, topics in the order of their names: that
keeps the hold short and two transactions from waiting for each other.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import event, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from models.events import Event, Topic

PENDING = "pending_news"
WAKE_DISPATCHER = "runyard_dispatcher"


def run_topic(run_id: UUID) -> str:
    return f"run:{run_id}"


def project_topic(project_id: UUID) -> str:
    return f"project:{project_id}"


def announce(session: Session, topics: Iterable[str], kind: str, **data: Any) -> None:
    """Say something to all who listen to the topics; heard only once committed."""
    pending = session.info.setdefault(PENDING, [])
    pending.extend((topic, kind, data) for topic in topics)


@event.listens_for(Session, "before_commit")
def _write_down(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint is not the end
        return
    pending = session.info.pop(PENDING, None)
    if not pending:
        return
    session.flush()
    by_topic: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for topic, kind, data in pending:
        by_topic[topic].append((kind, data))
    rows = [row for topic in sorted(by_topic) for row in _numbered(session, topic, by_topic[topic])]
    session.execute(insert(Event), rows)
    wake_dispatcher(session)


def _numbered(
    session: Session, topic: str, news: list[tuple[str, dict[str, Any]]]
) -> list[dict[str, Any]]:
    count = len(news)
    taken = session.scalars(
        upsert(Topic)
        .values(name=topic, seq=count)
        .on_conflict_do_update(index_elements=[Topic.name], set_={"seq": Topic.seq + count})
        .returning(Topic.seq)
    ).one()
    return [
        {"topic": topic, "seq": taken - count + place, "type": kind, "data": data}
        for place, (kind, data) in enumerate(news, start=1)
    ]


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, previous: Any) -> None:
    session.info.pop(PENDING, None)


def wake_dispatcher(session: Session) -> None:
    """Ring for the dispatcher; PostgreSQL delivers it at the commit."""
    session.execute(select(func.pg_notify(WAKE_DISPATCHER, "")))
