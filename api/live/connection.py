"""A WebSocket of flask-sock, made whole.

simple-websocket writes with one ``send()``, which under gevent may write a part and forget the
rest (https://github.com/miguelgrinberg/simple-websocket/issues/45); ``WholeSocket`` writes all of
it, one writer at a time. Frames are text without compression, so one encoding serves every socket.
"""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Any

from simple_websocket import ConnectionClosed  # type: ignore[import-untyped]

from api.live.frames import Close

UNACKNOWLEDGED_MS = 20_000
FAREWELL_SECONDS = 1.0
READ = 64 * 1024
TEXT = 0x81


class Gone(Exception):
    """The other side has left."""


class WholeSocket:
    """The socket below, as simple-websocket uses it."""

    def __init__(self, below: socket.socket) -> None:
        self._below = below
        self._lock = Lock()
        self.writing_since: float | None = None
        self.when_closed: Callable[[], None] | None = None
        with suppress(OSError):
            below.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
            below.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, content: bytes) -> int:
        with self._lock:
            self.writing_since = time.monotonic()
            try:
                self._below.sendall(content)
            finally:
                self.writing_since = None
        return len(content)

    def recv(self, most: int) -> bytes:
        return self._below.recv(most)

    def fileno(self) -> int:
        return self._below.fileno()

    def close(self) -> None:
        """Nobody reads from it any more; the server will close it."""
        if self.when_closed is not None:
            self.when_closed()

    def drain(self, within: float) -> None:
        """Read what is left: closing over unread input would throw away our last words."""
        until = time.monotonic() + within
        with suppress(OSError):
            self._below.settimeout(within)
            while time.monotonic() < until and self._below.recv(READ):
                pass

    def cut(self) -> None:
        """End the connection at once, also for a writer that waits for a slow reader."""
        with suppress(OSError):
            self._below.shutdown(socket.SHUT_RDWR)


class Connection:
    """What a session does with its socket."""

    def __init__(self, ws: Any, whole: WholeSocket) -> None:
        self._ws, self._socket = ws, whole
        whole.when_closed = self.ring

    def send(self, frame: bytes) -> None:
        """Send a text frame, waiting for a slow reader. :raises Gone:"""
        if not self._ws.connected:
            raise Gone
        try:
            self._socket.send(_header(len(frame)) + frame)
        except OSError:
            raise Gone from None

    def messages(self) -> Iterator[str | bytes]:
        """What the client has sent until now. :raises Gone:"""
        # Asking an empty buffer would cost a timer and a switch for every frame we send.
        while self._ws.input_buffer:
            yield self._ws.receive(timeout=0)
        if not self._ws.connected:
            raise Gone

    def wait(self, seconds: float) -> None:
        """Sleep until rung, until the client sends something or leaves, or for so long."""
        self._ws.event.wait(timeout=seconds)
        self._ws.event.clear()

    def ring(self) -> None:
        """Let ``wait`` return."""
        self._ws.event.set()

    @property
    def unread_messages(self) -> int:
        return len(self._ws.input_buffer)

    @property
    def blocked_seconds(self) -> float:
        """How long the present write has been waiting for the reader."""
        since = self._socket.writing_since
        return time.monotonic() - since if since is not None else 0.0

    def close(self, code: Close, reason: str) -> None:
        """Say why, and give the client a moment to hear it."""
        with suppress(ConnectionClosed, OSError):
            self._ws.close(code.value, reason)
            self._ws.thread.join(FAREWELL_SECONDS)
            self._socket.drain(FAREWELL_SECONDS)

    def end(self) -> None:
        """Leave nothing behind that still reads from the socket."""
        self._ws.connected = False
        self.cut()
        self._ws.thread.join(FAREWELL_SECONDS)

    def cut(self) -> None:
        self._socket.cut()


def _header(length: int) -> bytes:
    if length < 126:
        return struct.pack("!BB", TEXT, length)
    if length < 2**16:
        return struct.pack("!BBH", TEXT, 126, length)
    return struct.pack("!BBQ", TEXT, 127, length)
