"""Reading news again, in the order it was announced."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, authorize
from domain.command import query
from domain.errors import Conflict
from domain.news import project_topic, run_topic
from domain.projects.queries import find_project
from domain.runs.queries import find_run
from models.events import Event, Topic

MOST = 500


class EventsForgotten(Conflict):
    """The events asked for are not kept any more, or never were."""

    code = "events_forgotten"


@dataclass(frozen=True)
class EventPage:
    """Events that follow one another, and the number of the topic's last."""

    items: Sequence[Event]
    seq: int


@query(requires=Permission.EVENT_READ)
def run_events(
    session: Session, actor: Actor, run_id: UUID, *, after: int, limit: int = MOST
) -> EventPage:
    """What happened to a run after event number ``after``.

    :raises NotFound: no such run for the actor. :raises EventsForgotten: read the run instead.
    """
    run = find_run(session, actor, run_id)
    authorize(actor, Permission.EVENT_READ, run)
    return _page(session, run_topic(run.id), after, limit)


@query(requires=Permission.EVENT_READ)
def project_events(
    session: Session, actor: Actor, project_id: UUID, *, after: int, limit: int = MOST
) -> EventPage:
    """What happened in a project after event number ``after``.

    :raises NotFound: no such project for the actor. :raises EventsForgotten: read it anew.
    """
    project = find_project(session, actor, project_id)
    authorize(actor, Permission.EVENT_READ, project)
    return _page(session, project_topic(project.id), after, limit)


def events_after(session: Session, topic: str, after: int, limit: int = MOST) -> Sequence[Event]:
    """Events of a topic by number, for listeners who have been authorised before."""
    return session.scalars(
        select(Event)
        .where(Event.topic == topic, Event.seq > after)
        .order_by(Event.seq)
        .limit(min(limit, MOST))
    ).all()


def last_numbers(session: Session, topics: Iterable[str]) -> Mapping[str, int]:
    """The number of the last event of each topic; 0 where nothing was ever announced."""
    names = list(topics)
    found = session.execute(select(Topic.name, Topic.seq).where(Topic.name.in_(names)))
    return dict.fromkeys(names, 0) | {name: seq for name, seq in found}


def _page(session: Session, topic: str, after: int, limit: int) -> EventPage:
    # The last number first: an event committed in between is then a surplus, not a hole.
    seq = last_numbers(session, [topic])[topic]
    events = events_after(session, topic, after, limit)
    if after > seq or (after < seq and (not events or events[0].seq != after + 1)):
        raise EventsForgotten(
            f"the events after number {after} are not kept; read the state and go on from {seq}"
        )
    return EventPage(events, seq)
