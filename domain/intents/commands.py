"""Filing what was asked, following it, settling it once."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.access.policy import Actor, InProject
from domain.clock import in_seconds, now
from domain.errors import Conflict
from domain.intents.outbox import enqueue
from domain.jobs import Job
from domain.news import announce, project_topic, run_topic
from models.intents import SETTLED, Intent, IntentState

# How long an intent may take before it expires; a queued start waits for a slot as long as need be.
DEADLINE_SECONDS = {
    Job.RUN_START: 30 * 86400.0,
    Job.RUN_STOP: 2 * 3600.0,
    Job.RUN_CLONE: 600.0,
    Job.RUN_EXPORT: 6 * 3600.0,
}


class IdempotencyKeyReused(Conflict):
    """The key was given before with something else."""

    code = "idempotency_key_reused"


def find_repeat(
    session: Session,
    actor: Actor,
    key: str | None,
    action: Job,
    subject: InProject,
    arguments: Mapping[str, Any],
) -> Intent | None:
    """The intent filed earlier by the same actor under the same key.

    :raises IdempotencyKeyReused: what was asked then differs from what is asked now.
    """
    if key is None:
        return None
    earlier = session.scalar(
        select(Intent).where(Intent.actor_id == actor.user_id, Intent.idempotency_key == key)
    )
    if earlier is not None and earlier.request_digest != _digest(action, subject.id, arguments):
        raise IdempotencyKeyReused(
            "this Idempotency-Key was used for another request; use a new key for a new request",
            pointer="#/header/Idempotency-Key",
        )
    return earlier


def file(
    session: Session,
    actor: Actor,
    action: Job,
    subject: InProject,
    *,
    key: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    result: Mapping[str, Any] | None = None,
) -> Intent:
    """Write down what was asked and enqueue its job, in the caller's transaction.

    :raises IdempotencyKeyReused: another request with this key is being filed right now.
    """
    return file_for(
        session, actor.user_id, action, subject, key=key, arguments=arguments, result=result
    )


def file_for(
    session: Session,
    actor_id: UUID,
    action: Job,
    subject: InProject,
    *,
    key: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    result: Mapping[str, Any] | None = None,
) -> Intent:
    """The same, for our own machinery acting on behalf of a person."""
    intent = Intent(
        project_id=subject.project_id,
        actor_id=actor_id,
        action=action,
        subject_id=subject.id,
        arguments=dict(arguments or {}),
        result=dict(result) if result is not None else None,
        idempotency_key=key,
        request_digest=_digest(action, subject.id, arguments or {}),
        deadline_at=in_seconds(DEADLINE_SECONDS[action]),
    )
    try:
        with session.begin_nested():
            session.add(intent)
    except IntegrityError:
        raise IdempotencyKeyReused(
            "this Idempotency-Key is in use; ask again in a moment"
        ) from None
    enqueue(session, action, intent_id=intent.id, subject_id=str(subject.id))
    announce_intent(session, intent)
    return intent


def note_dispatched(session: Session, intent_ids: Collection[UUID]) -> None:
    """Their jobs went to the broker."""
    session.execute(
        update(Intent)
        .where(Intent.id.in_(intent_ids), Intent.state == IntentState.ACCEPTED)
        .values(state=IntentState.DISPATCHED)
        .execution_options(synchronize_session=False)
    )


def begin(session: Session, intent_id: UUID) -> Intent | None:
    """Mark an intent as being carried out; None when it is settled already."""
    intent = session.get(Intent, intent_id, with_for_update=True)
    if intent is None or intent.is_settled:
        return None
    if intent.state is not IntentState.RUNNING:
        intent.state = IntentState.RUNNING
        intent.started_at = now()
        announce_intent(session, intent)
    return intent


def note_progress(session: Session, intent: Intent, percent: int, message: str) -> None:
    """Tell followers how far an intent is; percent of 100."""
    intent.percent, intent.message = percent, message
    announce_intent(session, intent)


def succeed(session: Session, intent: Intent, **result: Any) -> None:
    intent.percent = 100
    intent.message = ""
    if result:
        intent.result = {**(intent.result or {}), **result}
    _settle(session, intent, IntentState.SUCCEEDED)


def fail(session: Session, intent: Intent, code: str, detail: str) -> None:
    intent.error_code, intent.error_detail = code, detail
    _settle(session, intent, IntentState.FAILED)


def cancel(session: Session, intent: Intent, detail: str) -> None:
    intent.error_code, intent.error_detail = "cancelled", detail
    _settle(session, intent, IntentState.CANCELLED)


def quarantine(session: Session, intent: Intent, detail: str) -> None:
    """Set an intent aside whose job keeps failing for no reason we know."""
    intent.error_code, intent.error_detail = "quarantined", detail
    _settle(session, intent, IntentState.QUARANTINED)


def expire(session: Session, intent: Intent) -> None:
    intent.error_code, intent.error_detail = "expired", "this was not done by its deadline"
    _settle(session, intent, IntentState.EXPIRED)


def open_intents(session: Session, subject_id: UUID, action: Job) -> list[Intent]:
    """What was asked of a subject and is not settled, locked."""
    return list(
        session.scalars(
            select(Intent)
            .where(
                Intent.subject_id == subject_id,
                Intent.action == action,
                Intent.state.not_in(SETTLED),
            )
            .order_by(Intent.id)
            .with_for_update()
        )
    )


def announce_intent(session: Session, intent: Intent) -> None:
    topics = [project_topic(intent.project_id)]
    if intent.action.startswith("runs."):
        topics.append(run_topic(intent.subject_id))
    announce(
        session,
        topics,
        "intent",
        intent_id=str(intent.id),
        action=intent.action,
        subject_id=str(intent.subject_id),
        state=intent.state,
        percent=intent.percent,
        message=intent.message,
        error_code=intent.error_code,
        error_detail=intent.error_detail,
    )


def _settle(session: Session, intent: Intent, state: IntentState) -> None:
    intent.state = state
    intent.ended_at = now()
    announce_intent(session, intent)


def _digest(action: Job, subject_id: UUID, arguments: Mapping[str, Any]) -> bytes:
    canonical = orjson.dumps(
        [action.value, str(subject_id), dict(arguments)], option=orjson.OPT_SORT_KEYS
    )
    return hashlib.sha256(canonical).digest()
