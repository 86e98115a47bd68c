"""Handing messages to the broker, again when need be, and giving up in the end."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.clock import in_seconds, now
from domain.intents.commands import note_dispatched, quarantine
from domain.intents.outbox import LONGEST_PAUSE_SECONDS, MOST_FAILURES
from models.intents import Intent
from models.outbox import OutboxMessage
from settings import settings


def set_aside(session: Session, message_id: UUID) -> None:
    """Stop trying: the message is finished undone, and its intent is quarantined."""
    message = session.get_one(OutboxMessage, message_id, with_for_update=True)
    message.finished_at, message.claimed_until = now(), None
    intent = message.intent_id and session.get(Intent, message.intent_id, with_for_update=True)
    if intent and not intent.is_settled:
        quarantine(session, intent, message.last_error or "the job keeps failing")


def take_due(session: Session, limit: int) -> list[OutboxMessage]:
    """Messages to hand to the broker now, locked; those another dispatcher holds are skipped.

    A message whose claimer went silent counts as failed once, and is set aside when that
    happens too often: work that kills its workers must not go round for ever.
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
            if message.failures >= MOST_FAILURES:
                set_aside(session, message.id)
    return [message for message in due if message.finished_at is None]


def note_sent(session: Session, message: OutboxMessage) -> None:
    """The broker has the message; look again later, in case it loses it."""
    pause = settings().resend_seconds * 2.0 ** min(message.sends, 6)
    message.sends += 1
    message.due_at = in_seconds(min(LONGEST_PAUSE_SECONDS, pause))
    if message.intent_id is not None:
        note_dispatched(session, message.intent_id)
