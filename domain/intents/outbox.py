"""The row beside the change: work to be handed to the broker, done once.

A message is looked at whenever it is due (see the entity). Delivery may happen any number of
times; a claim is a conditional update, so of all deliveries one at a time is at work, and only
the last claimer's fence can finish.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from domain.jobs import Job
from domain.news import wake_dispatcher
from models.outbox import OutboxMessage
from settings import settings

MOST_FAILURES = 5
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True)
class Claim:
    """A right to do a message's work, until the lease ends or somebody claims after us."""

    message_id: UUID
    fence: int
    job: Job
    arguments: Mapping[str, Any]
    intent_id: UUID | None


def enqueue(
    session: Session, job: Job, *, intent_id: UUID | None = None, **arguments: str
) -> OutboxMessage:
    """Write down that a job is to be done once this transaction commits."""
    message = OutboxMessage(job=job, arguments=arguments, intent_id=intent_id)
    session.add(message)
    session.flush()
    wake_dispatcher(session)
    return message


def claim(session: Session, message_id: UUID) -> Claim | None:
    """Take a message's work upon oneself; None when another delivery was first."""
    row = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == message_id,
            OutboxMessage.finished_at.is_(None),
            or_(
                OutboxMessage.claimed_until.is_(None),
                OutboxMessage.claimed_until < func.clock_timestamp(),
            ),
        )
        .values(
            fence=OutboxMessage.fence + 1,
            claimed_until=_a_lease_from_now(),
            due_at=_a_lease_from_now(),
        )
        .returning(
            OutboxMessage.fence,
            OutboxMessage.job,
            OutboxMessage.arguments,
            OutboxMessage.intent_id,
        )
    ).one_or_none()
    if row is None:
        return None
    return Claim(message_id, row.fence, Job(row.job), row.arguments, row.intent_id)


def keep(session: Session, claim: Claim) -> bool:
    """Hold a claim for another lease while its work goes on; False when it is stale or given
    back."""
    return _update(
        session,
        claim,
        OutboxMessage.claimed_until.is_not(None),
        claimed_until=_a_lease_from_now(),
        due_at=_a_lease_from_now(),
    )


def finish(session: Session, claim: Claim) -> bool:
    """Settle the message with the effects of its work; False when the claim is stale."""
    return _update(session, claim, finished_at=func.clock_timestamp(), claimed_until=None)


def postpone(session: Session, claim: Claim, seconds: float) -> bool:
    """Give the message back for a while: it cannot be done yet, which is no failure."""
    due = func.clock_timestamp() + timedelta(seconds=seconds)
    return _update(session, claim, due_at=due, claimed_until=None, sends=0)


def fail(session: Session, claim: Claim, error: str) -> int | None:
    """Count a failure and give the message back with back-off.

    Returns how often it has failed by now, or None when the claim is stale.
    """
    failures = session.scalar(
        select(OutboxMessage.failures).where(OutboxMessage.id == claim.message_id)
    )
    count = (failures or 0) + 1
    pause = timedelta(seconds=min(LONGEST_PAUSE_SECONDS, 2.0**count))
    kept = _update(
        session,
        claim,
        failures=count,
        last_error=error[:4000],
        due_at=func.clock_timestamp() + pause,
        claimed_until=None,
        sends=0,
    )
    return count if kept else None


def ring(session: Session, job: Job, subject_id: UUID) -> None:
    """Have a postponed message about a subject looked at right away."""
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.job == job,
            OutboxMessage.finished_at.is_(None),
            OutboxMessage.claimed_until.is_(None),
            OutboxMessage.arguments["subject_id"].astext == str(subject_id),
        )
        .values(due_at=func.clock_timestamp())
    )
    wake_dispatcher(session)


def ring_next(session: Session, job: Job) -> None:
    """Have the longest-waiting postponed message of a job looked at right away.

    One that was rung for already, that the broker has, or that has failed is not waiting: two
    rings in a row wake two.
    """
    longest_waiting = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.job == job,
            OutboxMessage.finished_at.is_(None),
            OutboxMessage.claimed_until.is_(None),
            OutboxMessage.sends == 0,
            OutboxMessage.failures == 0,
            OutboxMessage.due_at > func.clock_timestamp(),
        )
        .order_by(OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == longest_waiting)
        .values(due_at=func.clock_timestamp())
    )
    wake_dispatcher(session)


def _a_lease_from_now() -> ColumnElement[datetime]:
    return func.clock_timestamp() + timedelta(seconds=settings().lease_seconds)


def _update(session: Session, claim: Claim, *also: ColumnElement[bool], **values: Any) -> bool:
    changed = session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id == claim.message_id,
            OutboxMessage.fence == claim.fence,
            OutboxMessage.finished_at.is_(None),
            *also,
        )
        .values(**values)
        .returning(OutboxMessage.id)
    )
    return changed.one_or_none() is not None
