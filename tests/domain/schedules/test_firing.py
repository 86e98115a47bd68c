"""Each planned moment fires once, however many beats are at it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from domain.clock import in_seconds, now
from domain.jobs import Job
from domain.schedules.commands import OWN, ensure_own, fire_due
from models.outbox import OutboxMessage
from models.schedules import Schedule, ScheduleFire
from models.session import transaction

pytestmark = pytest.mark.usefixtures("database")
BEATS = 4


def plan(name: str, at: datetime, *, every: int = 60, is_enabled: bool = True) -> None:
    with transaction() as session:
        session.add(
            Schedule(
                name=name,
                job=Job.UPKEEP_PRUNE,
                every_seconds=every,
                next_at=at,
                is_enabled=is_enabled,
            )
        )


def fire() -> int:
    with transaction() as session:
        return fire_due(session)[0]


def at_once(work: Callable[[], int]) -> list[int]:
    start = Barrier(BEATS)

    def run(_: int) -> int:
        start.wait()
        return work()

    with ThreadPoolExecutor(BEATS) as threads:
        return list(threads.map(run, range(BEATS)))


def counts() -> tuple[int, int]:
    with transaction() as session:
        return (
            session.scalar(select(func.count()).select_from(OutboxMessage)) or 0,
            session.scalar(select(func.count()).select_from(ScheduleFire)) or 0,
        )


def test_beats_at_the_same_moment_fire_once() -> None:
    for number in range(20):
        plan(f"schedule {number}", in_seconds(-1))
    assert sum(at_once(fire)) == 20
    assert counts() == (20, 20)
    assert fire() == 0


def test_moments_missed_are_made_up_for_once() -> None:
    planned = in_seconds(-3 * 60 - 10)
    plan("hourly", planned, every=60)
    assert fire() == 1
    assert fire() == 0
    with transaction() as session:
        after = session.scalars(select(Schedule.next_at)).one()
    assert now() < after <= in_seconds(60)
    assert (after - planned) % timedelta(seconds=60) == timedelta(0)


def test_what_is_not_due_or_switched_off_does_not_fire() -> None:
    plan("later", in_seconds(30))
    plan("never", in_seconds(-30), is_enabled=False)
    with transaction() as session:
        fired, pause = fire_due(session)
    assert fired == 0
    assert 25 < pause <= 30


def test_a_beat_that_dies_before_its_commit_has_not_fired() -> None:
    plan("hourly", in_seconds(-1))
    with transaction() as session:
        fire_due(session)
        session.rollback()
    assert counts() == (0, 0)
    assert fire() == 1


def test_our_own_schedules_are_there_once_however_many_beats_start() -> None:
    def ensure() -> int:
        with transaction() as session:
            ensure_own(session)
        return 0

    at_once(ensure)
    with transaction() as session:
        assert set(session.scalars(select(Schedule.name))) == set(OWN)


def test_an_own_schedule_that_was_changed_stays_changed() -> None:
    with transaction() as session:
        ensure_own(session)
    with transaction() as session:
        session.scalars(select(Schedule)).first().is_enabled = False  # type: ignore[union-attr]
    with transaction() as session:
        ensure_own(session)
    with transaction() as session:
        assert session.scalar(select(func.count()).where(~Schedule.is_enabled)) == 1
