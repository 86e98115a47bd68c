"""A small client of the live socket: it remembers where it was and comes back there.

>>> client = LiveClient("http://127.0.0.1:8000", "ws://127.0.0.1:8001", token)
>>> client.subscribe({"run:0190…": None, "run:0190…/log": 0})
>>> for frame in client: print(frame)
"""

import json
import random
import time
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import websocket

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
FOR_GOOD = {4400, 4401, 4403}


class LiveClosed(Exception):
    """The server closed the socket for good."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason


class LiveClient:
    """Yields frames, and reconnects from the last positions with jittered back-off.

    With a ``base_url`` it asks for a ticket as a browser would; without, the token goes into
    the header.
    """

    def __init__(self, base_url: str | None, live_url: str, token: str) -> None:
        self._base_url, self._token = base_url, token
        self._live_url = f"{live_url.rstrip('/')}/live"
        self._positions: dict[str, int | None] = {}
        self._socket: websocket.WebSocket | None = None
        self._retry_ms = 0

    @property
    def positions(self) -> Mapping[str, int | None]:
        """The last number seen of each topic."""
        return dict(self._positions)

    def subscribe(self, topics: Mapping[str, int | None]) -> None:
        """Listen to topics from now on (None) or after a number."""
        self._positions.update(topics)
        if self._socket is not None:
            self._subscribe(self._socket, topics)

    def unsubscribe(self, *topics: str) -> None:
        """Listen to topics no more."""
        for topic in topics:
            self._positions.pop(topic, None)
        if self._socket is not None:
            self._socket.send(json.dumps({"frame": "unsubscribe", "topics": topics}))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All frames, for ever. :raises LiveClosed: coming back would not help."""
        failures = 0
        while True:
            try:
                for frame in self._frames(self._connect()):
                    failures = 0
                    yield frame
            except (OSError, websocket.WebSocketException):
                pass
            self.close()
            failures += 1
            longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 6))
            time.sleep(self._retry_ms / 1000 + random.uniform(0, longest))
            self._retry_ms = 0

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close(timeout=1)
            self._socket = None

    def _connect(self) -> websocket.WebSocket:
        address, header = self._live_url, [f"Authorization: Bearer {self._token}"]
        if self._base_url is not None:
            address, header = f"{address}?ticket={self._ticket()}", []
        self._socket = websocket.create_connection(address, timeout=60, header=header)
        if self._positions:
            self._subscribe(self._socket, self._positions)
        return self._socket

    def _ticket(self) -> str:
        asked = urllib.request.Request(  # noqa: S310 - the caller's own address
            f"{self._base_url}/api/v1/live/tickets",
            data=b"{}",
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - the same
            ticket: str = json.load(answer)["ticket"]
        return ticket

    def _subscribe(self, socket: websocket.WebSocket, topics: Mapping[str, int | None]) -> None:
        wanted = {name: {} if seq is None else {"after": seq} for name, seq in topics.items()}
        socket.send(json.dumps({"frame": "subscribe", "topics": wanted}))

    def _frames(self, socket: websocket.WebSocket) -> Iterator[dict[str, Any]]:
        while True:
            kind, content = socket.recv_data()
            if kind == websocket.ABNF.OPCODE_CLOSE:
                code = int.from_bytes(content[:2], "big") if content else 1005
                if code in FOR_GOOD:
                    raise LiveClosed(code, content[2:].decode())
                return
            frame = json.loads(content)
            self._note(frame)
            yield frame

    def _note(self, frame: dict[str, Any]) -> None:
        match frame["frame"]:
            case "event" | "reset" | "subscribed":
                self._positions[frame["topic"]] = frame["seq"]
            case "tail":
                self._positions[frame["topic"]] = frame["cursor"]
            case "ping":
                self._positions.update(frame["positions"])
            case "refused":
                self._positions.pop(frame["topic"], None)
            case "bye":
                self._retry_ms = frame["retry_ms"]
