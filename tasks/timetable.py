"""Celery beat on our own timetable: schedules are rows, and any number of beats may run."""

from typing import Any

import structlog
from celery.beat import Scheduler
from sqlalchemy.exc import SQLAlchemyError

from domain.schedules.commands import ensure_own, fire_due
from models.session import transaction

log = structlog.get_logger()
LONGEST_SLEEP_SECONDS = 5.0


class TimetableScheduler(Scheduler):  # type: ignore[misc]  # celery is untyped
    """Fires what is due by writing outbox rows; it never talks to the broker itself."""

    def setup_schedule(self) -> None:
        with transaction() as session:
            ensure_own(session)

    def tick(self, *_: Any, **__: Any) -> float:
        """Fire what is due and return how many seconds to sleep."""
        try:
            with transaction() as session:
                fired, pause = fire_due(session)
        except SQLAlchemyError:
            log.exception("the timetable could not be read")
            return LONGEST_SLEEP_SECONDS
        if fired:
            log.info("schedules fired", count=fired)
        return min(LONGEST_SLEEP_SECONDS, pause)
