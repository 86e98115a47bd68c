"""Telling how far a training is, to readers of the run and to whoever watches."""

import time
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from domain.ports import Bus
from domain.runs import attempts
from domain.runs.progress import Pace, Position, keep_progress, position_of
from models.session import transaction


class Telling:
    """Tells an attempt's progress whenever it has moved."""

    def __init__(self, run_id: UUID, attempt_id: UUID, bus: Bus) -> None:
        self.run_id, self.attempt_id, self.bus = run_id, attempt_id, bus
        self._pace = Pace()
        self._last: Position | None = None
        self._ticks = 0

    def tell(self) -> None:
        """:raises Superseded: the attempt is over and may write no more."""
        try:
            with transaction() as session:
                position = position_of(session, self.run_id)
                if position is None or position == self._last:
                    return
                attempts.assert_live(session, self.attempt_id)
                progress = self._pace.progress(position, time.monotonic())
                keep_progress(session, self.run_id, progress)
        except SQLAlchemyError:
            return
        self._last = position
        self._ticks += 1
        self.bus.tail(f"run:{self.run_id}/progress", self._ticks, self._ticks, [progress])
