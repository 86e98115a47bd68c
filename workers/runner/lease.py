"""The holder's lease: renewed in a thread of its own, and what it hears from it."""

import threading
import time
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.clock import now
from domain.runs import attempts
from domain.runs.attempts import Superseded, Wishes
from domain.runs.commands import WAKE_RUNNER
from models.session import transaction
from settings import settings
from workers.bell import Bell

log = structlog.get_logger()


class Lease:
    """Renews an attempt's lease at a third of its length, and at once when rung for.

    A holder that cannot renew goes on: an outage of ours must not end anybody's training. Only
    proof that the attempt is over, or a very long silence, does.
    """

    def __init__(self, attempt_id: UUID, run_id: UUID) -> None:
        self.attempt_id, self.run_id = attempt_id, run_id
        self.is_over = False
        self._wishes = Wishes(stop=False, stop_deadline=None)
        self._renewed_at = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def start(self) -> None:
        """:raises Superseded: the attempt is over already."""
        self._renew()
        self._thread.start()

    def end(self) -> None:
        self._ended.set()

    @property
    def must_end(self) -> bool:
        """Whether the training must end without being asked: nobody wants its outcome."""
        silent = time.monotonic() - self._renewed_at
        return self.is_over or silent > settings().partition_seconds

    @property
    def stop_grace(self) -> float | None:
        """Seconds left until a wanted stop turns into a kill; None when no stop is wanted."""
        if not self._wishes.stop:
            return None
        deadline = self._wishes.stop_deadline
        return max(0.0, (deadline - now()).total_seconds()) if deadline else 0.0

    def _keep(self) -> None:
        while not self._ended.is_set() and not self.is_over:
            try:
                with Bell(settings().database_url, WAKE_RUNNER) as bell:
                    self._beat(bell)
            except (SQLAlchemyError, psycopg.Error, OSError) as problem:
                log.warning("the lease could not be renewed", problem=str(problem))
                self._ended.wait(1.0)

    def _beat(self, bell: Bell) -> None:
        while not self._ended.is_set() and not self.is_over:
            self._renew_or_end()
            until = time.monotonic() + settings().lease_seconds / 3
            while (left := until - time.monotonic()) > 0 and not self._ended.is_set():
                if str(self.run_id) in bell.wait(until=min(left, 1.0)):
                    break

    def _renew_or_end(self) -> None:
        try:
            self._renew()
        except Superseded:
            self.is_over = True

    def _renew(self) -> None:
        with transaction() as session:
            self._wishes = attempts.renew(session, self.attempt_id)
        self._renewed_at = time.monotonic()
