"""Our words and MLflow's for the same things."""

from domain.errors import Invalid
from models.runs import RunState

S = RunState
STATUSES: dict[RunState, str] = {
    S.DRAFT: "SCHEDULED",
    S.SCHEDULED: "SCHEDULED",
    S.QUEUED: "SCHEDULED",
    S.PREPARING: "SCHEDULED",
    S.PAUSED: "SCHEDULED",
    S.RETRY_WAIT: "SCHEDULED",
    S.RUNNING: "RUNNING",
    S.STOPPING: "RUNNING",
    S.SUCCEEDED: "FINISHED",
    S.FAILED: "FAILED",
    S.STOPPED: "KILLED",
    S.SKIPPED: "KILLED",
}
# What a client may say of a run it carries out itself.
SAID = {
    "RUNNING": S.RUNNING,
    "SCHEDULED": S.SCHEDULED,
    "FINISHED": S.SUCCEEDED,
    "FAILED": S.FAILED,
    "KILLED": S.STOPPED,
}
NUMBERED = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}
VIEWS: dict[str, bool | None] = {
    "ACTIVE_ONLY": False,
    "1": False,
    "DELETED_ONLY": True,
    "2": True,
    "ALL": None,
    "3": None,
}
RUN_NAME = "mlflow.runName"
PARENT = "mlflow.parentRunId"
USER = "mlflow.user"
ACTIVE, DELETED = "active", "deleted"


class UnknownWord(Invalid):
    """MLflow's protocol has no such word here."""

    code = "unknown_word"


def status_of(state: RunState) -> str:
    """MLflow's word for a state of ours."""
    return STATUSES[state]


def state_said(status: str) -> RunState:
    """The state a client says its run is in. :raises UnknownWord: it is no status."""
    name = NUMBERED.get(status, status).upper()
    if name not in SAID:
        raise UnknownWord(f"{status!r} is no run status; use one of: {', '.join(SAID)}")
    return SAID[name]


def states_of(status: str) -> list[RunState]:
    """All our states that MLflow calls so; none when it has no such word."""
    return [state for state, name in STATUSES.items() if name == status.upper()]


def deleted_wanted(view: str) -> bool | None:
    """Whether to look at deleted things only, at none of them, or (None) at all."""
    if view.upper() not in VIEWS:
        raise UnknownWord(f"{view!r} is no view; use ACTIVE_ONLY, DELETED_ONLY or ALL")
    return VIEWS[view.upper()]
