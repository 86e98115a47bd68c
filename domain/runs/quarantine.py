"""Setting aside work that keeps failing for no reason we know, and what that means for its run."""

from uuid import UUID

from sqlalchemy.orm import Session

from domain.intents import delivery
from domain.jobs import Job
from domain.runs.attempts import give_up_start
from domain.runs.queries import lock_run
from models.outbox import OutboxMessage


def set_aside(session: Session, message_id: UUID) -> None:
    """Finish a message undone: its intent is quarantined, and a run that waits for it has failed.

    The run is locked before the message, as everywhere.
    """
    message = session.get_one(OutboxMessage, message_id)
    starts = message.job == Job.RUN_START
    run = lock_run(session, UUID(message.arguments["subject_id"])) if starts else None
    session.refresh(message, with_for_update=True)
    if message.finished_at is not None:
        return
    delivery.set_aside(session, message)
    if run is not None:
        give_up_start(session, run, message.last_error or "the start keeps failing")
