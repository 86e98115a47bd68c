"""Making the copy that a clone intent asks for."""

from uuid import UUID

from sqlalchemy.orm import Session

from domain.intents import commands as intents
from domain.jobs import Job
from domain.runs.lifecycle import announce_run, move
from domain.runs.queries import lock_run
from models.intents import Intent
from models.runs import Run, RunState


def carry_out(session: Session, intent: Intent) -> Run:
    """Write the new run down, as a draft or queued at once if that was asked for.

    Parameters, source and runtime are copied; nothing that the original logged is.
    """
    original = lock_run(session, intent.subject_id)
    asked = intent.arguments
    copy = Run(
        project_id=original.project_id,
        experiment_id=original.experiment_id,
        cloned_from_id=original.id,
        created_by_id=intent.actor_id,
        name=asked["name"] or f"{original.name} (clone)",
        description=original.description,
        spec=asked["spec"],
        source_id=_uuid(asked["spec"].get("source_id")),
        queue=original.queue,
    )
    session.add(copy)
    session.flush()
    announce_run(session, copy, "created")
    result = {"run_id": str(copy.id)}
    if asked["start"]:
        result["start_intent_id"] = str(_start(session, copy, intent.actor_id).id)
    intents.succeed(session, intent, **result)
    return copy


def _start(session: Session, run: Run, actor_id: UUID) -> Intent:
    move(session, run, RunState.QUEUED)
    return intents.file_for(session, actor_id, Job.RUN_START, run)


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
