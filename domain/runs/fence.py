"""Who may still write to a run.

A credential is checked when a call comes in; an attempt can be lost a moment later. So every
write asks again, in the statement that writes, whether its attempt is live and its run there.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.credentials import KeyRefused
from domain.access.policy import Actor, ActorKind
from domain.errors import Invalid, NotFound
from models.experiments import Experiment
from models.runs import Attempt, Run

# For a write in SQL: its parameter ``attempt`` is null for people, who have no fence.
HOLDS = """(%(attempt)s::uuid is null or exists (
    select from attempts where attempts.id = %(attempt)s::uuid and attempts.outcome is null
))"""


class Deleted(Invalid):
    """What would be written to is out of sight."""

    code = "deleted"


def attempt_of(actor: Actor) -> UUID | None:
    """The attempt that fences the actor's writes; None for people."""
    return actor.attempt_id if actor.kind is ActorKind.RUN else None


def hold_attempt(session: Session, actor: Actor) -> None:
    """Keep the actor's attempt from being ended before this transaction does.

    :raises KeyRefused: it is over.
    """
    attempt_id = attempt_of(actor)
    if attempt_id is None:
        return
    live = select(Attempt.id).where(Attempt.id == attempt_id, Attempt.outcome.is_(None))
    if session.scalar(live.with_for_update(read=True)) is None:
        raise _attempt_over()


def refuse_if_deleted(thing: Run | Experiment) -> None:
    """:raises Deleted: nothing is written to what is out of sight."""
    if thing.deleted_at is not None:
        raise Deleted(f"this {type(thing).__name__.lower()} was deleted; restore it first")


def refuse_if_fenced(session: Session, run_number: int, attempt_id: UUID | None) -> None:
    """Say why a write found nothing to write to, if the fence is why.

    :raises NotFound: there is no such run. :raises Deleted: it is out of sight.
    :raises KeyRefused: the attempt is over.
    """
    run = session.scalar(select(Run).where(Run.number == run_number))
    if run is None:
        raise NotFound("the run is gone")
    refuse_if_deleted(run)
    if attempt_id is not None and session.get_one(Attempt, attempt_id).outcome is not None:
        raise _attempt_over()


def _attempt_over() -> KeyRefused:
    return KeyRefused("this attempt is over; nothing more is accepted of it")
