"""Bringing lines of log to PostgreSQL, and to whoever watches."""

from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.clock import milliseconds
from domain.ports import Bus
from domain.runs import attempts
from domain.runs.logs import append_lines, last_line
from models.session import transaction
from workers.runner.lines import Line

log = structlog.get_logger()
MOST_AT_ONCE = 1_000


class Shipping:
    """Ships an attempt's lines in order; what cannot be shipped now is kept for later."""

    def __init__(self, run_id: UUID, attempt_id: UUID, number: int, bus: Bus) -> None:
        self.run_id, self.attempt_id, self.number, self.bus = run_id, attempt_id, number, bus
        self._waiting: list[Line] = []
        self._offset: int | None = None

    def ship(self, lines: list[Line]) -> bool:
        """Ship these and all that wait; whether nothing waits now.

        :raises Superseded: the attempt is over and may write no more.
        """
        self._waiting.extend(lines)
        while self._waiting:
            batch = _first_together(self._waiting)
            try:
                self._ship(batch)
            except SQLAlchemyError as problem:
                log.warning("log lines wait", count=len(self._waiting), problem=str(problem))
                return False
            del self._waiting[: len(batch)]
        return True

    def _ship(self, batch: list[Line]) -> None:
        rows = [[line.stream.value, milliseconds(line.at), line.text] for line in batch]
        with transaction() as session:
            attempts.assert_live(session, self.attempt_id)
            if self._offset is None:
                # An earlier attempt's lines stay; ours follow them. Read once: a commit whose
                # answer is lost would make our own lines look like another's.
                self._offset = last_line(session, self.run_id)
            first = self._offset + batch[0].number
            append_lines(session, self.run_id, self.number, first, rows)
        self.bus.tail(f"run:{self.run_id}/log", first, first + len(rows) - 1, rows)


def _first_together(lines: list[Line]) -> list[Line]:
    """The first lines whose numbers follow one another, not too many."""
    first = lines[0].number
    numbered = enumerate(lines[:MOST_AT_ONCE], first)
    return [line for number, line in numbered if line.number == number]
