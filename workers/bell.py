"""Waiting to be woken by PostgreSQL."""

from types import TracebackType
from typing import Self

import psycopg

from domain.news import WAKE_DISPATCHER


class Bell:
    """A connection that listens for the commit of anything there is to dispatch."""

    def __init__(self, database_url: str, channel: str = WAKE_DISPATCHER) -> None:
        self.url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self.channel = channel

    def __enter__(self) -> Self:
        self._connection = psycopg.connect(self.url, autocommit=True, connect_timeout=3)
        self._connection.execute(f"listen {self.channel}")
        return self

    def wait(self, *, until: float) -> list[str]:
        """Sleep until woken, or so many seconds; returns what the callers said."""
        woken = self._connection.notifies(timeout=until, stop_after=1)
        return [note.payload for note in woken]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
