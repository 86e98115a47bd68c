"""Deleting what is old, over and of no use to anybody."""

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from domain.clock import now
from models.accounts import LiveTicket, RefreshToken
from models.events import Event
from models.outbox import OutboxMessage
from models.schedules import ScheduleFire

KEEP_OUTBOX = timedelta(days=3)
KEEP_EVENTS = timedelta(days=7)
KEEP_FIRES = timedelta(days=7)


def prune(session: Session) -> None:
    """Delete finished messages, old events and firings, and credentials that have expired."""
    moment = now()
    session.execute(delete(OutboxMessage).where(OutboxMessage.finished_at < moment - KEEP_OUTBOX))
    session.execute(delete(Event).where(Event.at < moment - KEEP_EVENTS, Event.is_streamed))
    session.execute(delete(ScheduleFire).where(ScheduleFire.planned_at < moment - KEEP_FIRES))
    session.execute(delete(LiveTicket).where(LiveTicket.expires_at < moment))
    session.execute(delete(RefreshToken).where(RefreshToken.expires_at < moment))
