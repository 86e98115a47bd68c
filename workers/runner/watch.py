"""Everything that goes on while an attempt's command lives."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.ports import Bus
from domain.runs import attempts
from domain.runs.attempts import Ending, Note, Superseded
from models.session import transaction
from settings import settings
from workers.runner.child import Child
from workers.runner.endings import ending_of
from workers.runner.lease import Lease
from workers.runner.output import Output
from workers.runner.preparation import Assignment
from workers.runner.shipping import Shipping
from workers.runner.telling import Telling

log = structlog.get_logger()
POLL_SECONDS = 0.05
SHIP_SECONDS = 0.15
PROGRESS_SECONDS = 0.5
AGAIN_SECONDS = 1.0
DRAIN_SECONDS = 5.0


class Watch:
    """Ships, tells and obeys until nothing of the command is left."""

    def __init__(
        self, work: Assignment, lease: Lease, bus: Bus, child: Child, runtime: str
    ) -> None:
        self.work, self.lease, self.child = work, lease, child
        self.output = Output(child.stdout, child.stderr, keep_bytes=settings().log_bytes)
        self.shipping = Shipping(work.run_id, work.attempt_id, work.number, bus)
        self.telling = Telling(work.run_id, work.attempt_id, bus)
        # What was observed and is not yet recorded, in order.
        self.notes: list[Note] = [partial(attempts.note_running, pid=child.pid, runtime=runtime)]
        self.began = time.monotonic()
        self.due: dict[str, float] = {}
        self.is_late = self.is_asked_to_stop = False

    def until_the_end(self) -> Ending:
        """Watch until nothing is left of the command and all it printed is shipped.

        :raises Superseded: the attempt is over as far as we are concerned.
        """
        # A command may be over before the first look at it, and was running all the same.
        self._write_notes()
        while (ended := self.child.poll()) is None:
            self._obey()
            self._write_notes()
            self._ship()
            self._tell()
            time.sleep(POLL_SECONDS)
        self._ship_the_rest()
        self._tell(last=True)
        if self.lease.must_end:
            raise Superseded("nobody asks how this attempt ended")
        return ending_of(ended, is_late=self.is_late)

    def _obey(self) -> None:
        if self.lease.must_end:
            self.child.end(0.0)
            return
        limit = self.work.spec.time_limit_seconds
        if limit is not None and not self.is_late and self._age() > limit:
            self.is_late = True
            self.notes.append(attempts.time_out)
            self.child.end(self._own_grace())
        grace = self.lease.stop_grace
        if grace is not None:
            self.child.end(grace)
            if not self.is_asked_to_stop:
                self.is_asked_to_stop = True
                self.notes.append(attempts.note_ending)

    def _write_notes(self) -> None:
        while self.notes and self._is_due("notes"):
            try:
                with self._fenced(), transaction() as session:
                    self.notes[0](session, self.work.attempt_id)
                del self.notes[0]
            except SQLAlchemyError as problem:
                log.warning("what was observed is not recorded yet", problem=str(problem))
                self._rest("notes", AGAIN_SECONDS)

    def _ship(self) -> None:
        if self._is_due("ship"):
            with self._fenced():
                self.shipping.ship(self.output.take())
            self._rest("ship", SHIP_SECONDS)

    def _ship_the_rest(self) -> None:
        rest = self.output.finish(DRAIN_SECONDS)
        while not self.lease.must_end:
            with self._fenced():
                if self.shipping.ship(rest):
                    return
            rest = []
            time.sleep(AGAIN_SECONDS)

    def _tell(self, *, last: bool = False) -> None:
        if last or self._is_due("progress"):
            with self._fenced():
                self.telling.tell()
            self._rest("progress", PROGRESS_SECONDS)

    @contextmanager
    def _fenced(self) -> Iterator[None]:
        """For whatever is written: hear when it is refused because the attempt is over."""
        try:
            yield
        except Superseded:
            self.lease.is_over = True

    def _own_grace(self) -> float:
        own = self.work.spec.stop_grace_seconds
        return settings().stop_grace_seconds if own is None else own

    def _age(self) -> float:
        return time.monotonic() - self.began

    def _is_due(self, duty: str) -> bool:
        return time.monotonic() >= self.due.get(duty, 0.0)

    def _rest(self, duty: str, seconds: float) -> None:
        self.due[duty] = time.monotonic() + seconds
