"""Bringing lines of log to PostgreSQL, and to whoever watches."""

from collections.abc import Iterator
from uuid import UUID

import structlog
from domain.runs.logs import append_lines, last_line
from sqlalchemy.exc import SQLAlchemyError

from domain.clock import milliseconds
from domain.ports import Bus
from domain.runs import attempts
from models.session import transaction
from workers.runner.lines import Line

log = structlog.get_logger()
MOST_AT_ONCE = 1_000


class Shipping:
    """Ships an attempt's lines in order; what cannot be shipped now is kept for later."""

    def __init__(self, run_id: UUID, attempt_id: UUID, number: int, bus: Bus) -> None:
        self.run_id, self.attempt_id, self.number, self.bus = run_id, attempt_id, number, bus
        self._waiting: list[Line] = []
        with transaction() as session:
            # An earlier attempt's lines stay; ours follow them.
            self._offset = last_line(session, run_id)

    def ship(self, lines: list[Line]) -> bool:
        """Ship these and all that wait; whether nothing waits now.

        :raises Superseded: the attempt is over and may write no more.
        """
        self._waiting.extend(lines)
        while self._waiting:
            batch = next(_together(self._waiting))
            if not self._ship(batch):
                return False
            del self._waiting[: len(batch)]
        return True

    def _ship(self, batch: list[Line]) -> bool:
        first, last = (self._offset + line.number for line in (batch[0], batch[-1]))
        rows = [[line.stream.value, milliseconds(line.at), line.text] for line in batch]
        try:
            with transaction() as session:
                attempts.assert_live(session, self.attempt_id)
                append_lines(session, self.run_id, self.number, first, rows)
        except SQLAlchemyError as problem:
            log.warning("log lines wait", count=len(self._waiting), problem=str(problem))
            return False
        self.bus.tail(f"run:{self.run_id}/log", first, last, rows)
        return True


def _together(lines: list[Line]) -> Iterator[list[Line]]:
    """Runs of lines whose numbers follow one another, none too long."""
    batch: list[Line] = []
    for line in lines:
        if batch and (line.number != batch[-1].number + 1 or len(batch) == MOST_AT_ONCE):
            yield batch
            batch = []
        batch.append(line)
    if batch:
        yield batch
