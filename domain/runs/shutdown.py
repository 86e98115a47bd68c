"""Ending all runs of one machine when its stack goes down."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.runs.commands import request_stop
from models.runs import Attempt, Desire, Run


def stop_local_runs(session: Session, host: str) -> int:
    """Ask every run that a host carries to stop, and return how many were asked."""
    carried = session.scalars(
        select(Run)
        .join(Attempt, Attempt.run_id == Run.id)
        .where(Attempt.host == host, Attempt.outcome.is_(None), Run.desire == Desire.RUN)
        .with_for_update(key_share=True, of=Run)
    ).all()
    for run in carried:
        request_stop(session, run, reason="shutdown")
    return len(carried)


def live_attempt_count(session: Session, host: str) -> int:
    """How many attempts the host still carries."""
    return (
        session.scalar(select(func.count()).where(Attempt.host == host, Attempt.outcome.is_(None)))
        or 0
    )
