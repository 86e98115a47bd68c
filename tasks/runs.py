"""Starting, stopping and cloning runs."""

from adapters.launcher_local import LaunchFailed
from domain.intents import commands as intents
from domain.jobs import Job
from domain.runs import attempts, cloning
from domain.runs.queries import lock_run
from models.runs import RunState
from models.session import transaction
from settings import settings
from tasks.base import Work, job, ports

SLOT_SECONDS = 15.0
STOPPED_SECONDS = 2.0


@job(Job.RUN_START)
def start_run(work: Work) -> None:
    """Claim a slot of this host and launch the process that carries the attempt."""
    with transaction() as session:
        run = lock_run(session, work.subject_id)
        if run.state is RunState.QUEUED and attempts.free_slots(session, settings().host) < 1:
            return work.postpone(session, SLOT_SECONDS)
        begun = attempts.begin(session, run)
        work.finish(session)
    if begun is None:
        return
    try:
        ports().launcher.launch(begun.attempt.id, begun.token)
    except LaunchFailed:
        with transaction() as session:
            attempts.abandon(session, begun.attempt.id)


@job(Job.RUN_STOP)
def stop_run(work: Work) -> None:
    """Settle the intent once the process tree is gone; the wish itself went to the runner."""
    with transaction() as session:
        run = lock_run(session, work.subject_id)
        if not run.is_over:
            return work.postpone(session, STOPPED_SECONDS)
        intent = work.intent(session)
        if intent is not None:
            intents.succeed(session, intent, state=run.state)
        work.finish(session)


@job(Job.RUN_CLONE)
def clone_run(work: Work) -> None:
    with transaction() as session:
        intent = work.intent(session)
        if intent is not None:
            cloning.carry_out(session, intent)
        work.finish(session)
