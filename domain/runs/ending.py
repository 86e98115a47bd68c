"""What the end of a run means for all that hangs on it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.intents import commands as intents
from domain.intents.outbox import ring
from domain.jobs import Job
from domain.runs.lifecycle import move
from models.runs import OVER, Run, RunOrigin, RunState


def finish_run(session: Session, run: Run, state: RunState, reason: str) -> None:
    """Bring a run to a final state, and with it its open start, its nested runs and its stops."""
    move(session, run, state, reason=reason)
    for intent in intents.open_intents(session, run.id, Job.RUN_START):
        if state is RunState.STOPPED:
            intents.cancel(session, intent, "the run was stopped before its process began")
        else:
            code = run.failure_class or "failed"
            intents.fail(session, intent, code, run.failure_detail or "the run did not start")
    _close_nested(session, run, state)
    ring(session, Job.RUN_STOP, run.id)


def _close_nested(session: Session, run: Run, state: RunState) -> None:
    """Runs the script opened inside this one end with it when it left them open."""
    nested = session.scalars(
        select(Run)
        .where(Run.parent_id == run.id, Run.origin == RunOrigin.RECORDED, Run.state.not_in(OVER))
        .with_for_update(key_share=True)
    )
    for child in nested:
        ended = RunState.FAILED if state is RunState.FAILED else RunState.STOPPED
        move(session, child, ended, reason="the run around it ended")
