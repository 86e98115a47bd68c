"""Firing the timetable: each planned moment once, however many beats are at it."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from domain.clock import now
from domain.intents.outbox import enqueue
from domain.jobs import Job
from models.schedules import Schedule, ScheduleFire

OWN = {
    "prune old rows": (Job.UPKEEP_PRUNE, 3600),
    "clean old workspaces": (Job.UPKEEP_WORKSPACES, 900),
}
NOTHING_DUE_SECONDS = 60.0


def ensure_own(session: Session) -> None:
    """Put the schedules that Runyard itself needs into the timetable, unless they are there."""
    for name, (job, seconds) in OWN.items():
        session.execute(
            insert(Schedule)
            .values(
                id=uuid7(),
                name=name,
                job=job,
                arguments={},
                every_seconds=seconds,
                is_enabled=True,
                next_at=now(),
            )
            .on_conflict_do_nothing(index_elements=["name"])
        )


def fire_due(session: Session) -> tuple[int, float]:
    """Enqueue what is due, and say how many fired and in how many seconds the next is due.

    Moments that were missed while no beat ran are made up for by a single firing.
    """
    due = session.scalars(
        select(Schedule)
        .where(Schedule.is_enabled, Schedule.next_at <= func.clock_timestamp())
        .order_by(Schedule.next_at)
        .limit(100)
        .with_for_update(skip_locked=True)
    ).all()
    for schedule in due:
        _fire(session, schedule)
    session.flush()
    soonest = session.scalar(select(func.min(Schedule.next_at)).where(Schedule.is_enabled))
    pause = (soonest - now()).total_seconds() if soonest else NOTHING_DUE_SECONDS
    return len(due), max(0.0, pause)


def _fire(session: Session, schedule: Schedule) -> None:
    message = enqueue(session, Job(schedule.job), **schedule.arguments)
    session.add(
        ScheduleFire(schedule_id=schedule.id, planned_at=schedule.next_at, message_id=message.id)
    )
    period = timedelta(seconds=schedule.every_seconds)
    missed = max(0, (now() - schedule.next_at) // period)
    schedule.next_at += period * (missed + 1)
