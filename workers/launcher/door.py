"""The launcher's socket, which may vanish or be taken over while it listens."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from select import select

from adapters.unix_sockets import listen_on


class Door:
    """Listens at a path, in place of what a predecessor left there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open()

    @property
    def is_taken(self) -> bool:
        """Whether another launcher listens at our path now."""
        found = self._identity()
        return found is not None and found != self._own

    def mend(self) -> None:
        """Listen again if somebody has deleted the socket."""
        if self._identity() is None:
            self._listener.close()
            self._open()

    def next_caller(self, timeout: float) -> socket.socket | None:
        if not select([self._listener], [], [], timeout)[0]:
            return None
        with suppress(OSError):
            return self._listener.accept()[0]
        return None

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._listener.close()
        if self._identity() == self._own:
            self._path.unlink()

    def leave(self) -> None:
        """Let go of the socket in a forked process; it stays as it is for the launcher."""
        self._listener.close()

    def _open(self) -> None:
        self._listener = listen_on(self._path)
        self._own = self._identity()

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.lstat(self._path)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino
