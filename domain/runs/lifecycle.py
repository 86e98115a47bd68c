"""The states of a run and the allowed moves, as one table.

``move`` is the only hand on ``state``: it keeps the transition and announces it.
"""

from sqlalchemy.orm import Session

from domain.clock import now
from domain.errors import Conflict
from domain.news import announce, project_topic, run_topic
from models.runs import OVER, Run, RunState, RunTransition

S = RunState
MOVES: dict[RunState, frozenset[RunState]] = {
    S.DRAFT: frozenset({S.QUEUED, S.SCHEDULED, S.STOPPED, S.RUNNING}),
    S.SCHEDULED: frozenset({S.QUEUED, S.STOPPED, S.SKIPPED}),
    S.QUEUED: frozenset({S.PREPARING, S.STOPPED, S.FAILED}),
    S.PREPARING: frozenset({S.RUNNING, S.STOPPING, S.FAILED, S.RETRY_WAIT, S.QUEUED}),
    S.RUNNING: frozenset({S.STOPPING, S.SUCCEEDED, S.FAILED, S.STOPPED, S.RETRY_WAIT}),
    S.STOPPING: frozenset({S.STOPPED, S.FAILED, S.PAUSED}),
    S.PAUSED: frozenset({S.QUEUED, S.STOPPED}),
    S.RETRY_WAIT: frozenset({S.QUEUED, S.STOPPED, S.FAILED}),
    S.SUCCEEDED: frozenset(),
    S.FAILED: frozenset(),
    S.STOPPED: frozenset(),
    S.SKIPPED: frozenset(),
}


class RunCannotMove(Conflict):
    """The run is in a state in which this cannot be done."""

    code = "run_cannot_move"


def move(session: Session, run: Run, to: RunState, *, reason: str = "") -> None:
    """Bring a run into another state, keep the transition and announce it.

    :raises RunCannotMove: the table does not allow it.
    """
    if to not in MOVES[run.state]:
        raise RunCannotMove(f"a {run.state} run cannot become {to}")
    _enter(session, run, to, reason)


def follow_client(session: Session, run: Run, to: RunState) -> None:
    """Bring a recorded run where its client says it is.

    The client alone knows, and may take up again what it had ended: no table applies.
    """
    if run.state is not to:
        _enter(session, run, to, "its client said so")


def _enter(session: Session, run: Run, to: RunState, reason: str) -> None:
    session.add(RunTransition(run_id=run.id, before=run.state, after=to, reason=reason))
    run.state = to
    if to is RunState.RUNNING and run.started_at is None:
        run.started_at = now()
    run.ended_at = now() if to in OVER else None
    announce_run(session, run, reason)


def announce_run(session: Session, run: Run, reason: str = "") -> None:
    """Tell listeners of the run and of its project how the run stands."""
    announce(
        session,
        (project_topic(run.project_id), run_topic(run.id)),
        "run",
        run_id=str(run.id),
        name=run.name,
        state=run.state,
        reason=reason,
        failure_class=run.failure_class,
        failure_detail=run.failure_detail,
        exit_code=run.exit_code,
        attempt=run.attempt_count,
    )
