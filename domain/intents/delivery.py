"""Handing messages to the broker, again when need be, and giving up in the end."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from domain.clock import now
from domain.intents.commands import quarantine
from domain.intents.outbox import LONGEST_PAUSE_SECONDS, MOST_FAILURES
from models.intents import Intent
from models.outbox import OutboxMessage
from settings import settings

MOST_DOUBLINGS = 6


def take_due(session: Session, limit: int) -> Sequence[OutboxMessage]:
    """Messages to hand to the broker once this commits; those another dispatcher holds are
    skipped.

    Each is looked at again after a pause, in case the broker loses it or we end in between. A
    message whose claimer went silent counts as failed once; see ``MOST_FAILURES``.
    """
    due = session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.finished_at.is_(None), OutboxMessage.due_at <= func.clock_timestamp())
        .order_by(OutboxMessage.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for message in due:
        if message.claimed_until is not None:
            message.failures, message.claimed_until = message.failures + 1, None
            message.last_error = "the worker that had claimed it went silent"
        pause = settings().resend_seconds * 2.0 ** min(message.sends, MOST_DOUBLINGS)
        message.sends += 1
        message.due_at = func.clock_timestamp() + timedelta(
            seconds=min(LONGEST_PAUSE_SECONDS, pause)
        )
    session.flush()
    return due


def has_failed_for_good(message: OutboxMessage) -> bool:
    """Whether it is to be set aside: work that kills its workers must not go round for ever."""
    return message.failures >= MOST_FAILURES


def give_back(session: Session, messages: Iterable[OutboxMessage]) -> None:
    """The broker did not take the messages: they are due at once and count as not sent."""
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.id.in_([message.id for message in messages]),
            OutboxMessage.finished_at.is_(None),
            OutboxMessage.claimed_until.is_(None),
        )
        .values(due_at=func.clock_timestamp(), sends=OutboxMessage.sends - 1)
        .execution_options(synchronize_session=False)
    )


def set_aside(session: Session, message: OutboxMessage) -> None:
    """Stop trying: the message is finished undone, and its intent is quarantined."""
    message.finished_at, message.claimed_until = now(), None
    intent = message.intent_id and session.get(Intent, message.intent_id, with_for_update=True)
    if intent and not intent.is_settled:
        quarantine(session, intent, message.last_error or "the job keeps failing")
