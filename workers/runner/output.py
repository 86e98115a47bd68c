"""Reads what a command prints, however much and however fast it prints.

One thread reads both pipes and never stops reading, so the command is never held up; lines keep
the order in which they were read.
"""

import os
import selectors
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from fcntl import F_SETPIPE_SZ, fcntl
from threading import Lock, Thread
from typing import IO

from domain.clock import now as clock_now
from workers.runner.lines import Line, LineLog, Splitter, Stream

READ = 256 * 1024
PIPE = 1024 * 1024


class Output:
    """The log of one command, read in the background from construction on."""

    def __init__(
        self,
        stdout: IO[bytes],
        stderr: IO[bytes],
        *,
        keep_bytes: int,
        now: Callable[[], datetime] = clock_now,
    ) -> None:
        self._log = LineLog(keep_bytes, now)
        self._lock = Lock()
        self._pipes = (stdout, stderr)
        self._splitters = (Splitter(Stream.STDOUT, self._log), Splitter(Stream.STDERR, self._log))
        self._given_up, self._give_up = os.pipe()
        self._reader = Thread(target=self._read, name="output", daemon=True)
        self._reader.start()

    def take(self) -> list[Line]:
        """The lines read since the last call."""
        with self._lock:
            return self._log.take()

    def finish(self, timeout: float) -> list[Line]:
        """Read to the end and return all lines not yet taken; call it once the command is over.

        After the timeout the rest is given up: something still holds the pipes open.
        """
        self._reader.join(timeout)
        os.close(self._give_up)
        self._reader.join()
        os.close(self._given_up)
        for pipe, splitter in zip(self._pipes, self._splitters, strict=True):
            pipe.close()
            splitter.end()
        self._log.end()
        return self._log.take()

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            for pipe, splitter in zip(self._pipes, self._splitters, strict=True):
                _widen(pipe)
                selector.register(pipe.fileno(), selectors.EVENT_READ, splitter)
            selector.register(self._given_up, selectors.EVENT_READ)
            while len(selector.get_map()) > 1:
                for key, _ in selector.select():
                    if key.fd == self._given_up:
                        return
                    if not self._feed(key.fd, key.data):
                        selector.unregister(key.fd)

    def _feed(self, pipe: int, splitter: Splitter) -> bool:
        chunk = os.read(pipe, READ)
        with self._lock:
            splitter.feed(chunk)
        return bool(chunk)


def _widen(pipe: IO[bytes]) -> None:
    # a user may hold only so many wide pipes; a narrow one is slower but works
    with suppress(PermissionError):
        fcntl(pipe, F_SETPIPE_SZ, PIPE)
