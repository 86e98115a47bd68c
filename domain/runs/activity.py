"""Whether runs are under way."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.runs import OVER, Run, RunOrigin, RunState


def lock_active_runs(session: Session, which: ColumnElement[bool]) -> int:
    """How many of some runs are under way, with every run that could start held still."""
    states = session.scalars(
        select(Run.state)
        .where(which, Run.origin == RunOrigin.MANAGED, Run.state.not_in(OVER))
        .with_for_update(key_share=True)
    )
    return sum(state is not RunState.DRAFT for state in states)
