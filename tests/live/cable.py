"""A cable to a server that can be pulled and plugged in again."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class Cable:
    """Forwards a port of its own to that of a server."""

    def __init__(self, server_url: str) -> None:
        parts = urlsplit(server_url)
        self._server = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._is_pulled = False
        port = self._listener.getsockname()[1]
        self.url = server_url.replace(f":{parts.port}/", f":{port}/")
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        """Break every connection and refuse new ones."""
        self._is_pulled = True
        ends, self._ends = self._ends, []
        for end in ends:
            _break(end)

    def plug_in(self) -> None:
        self._is_pulled = False

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            if self._is_pulled:
                _break(near)
                continue
            far = socket.create_connection(self._server)
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_forward, args=(source, sink), daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65_536):
            sink.sendall(content)
    _break(source)
    _break(sink)


def _break(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
