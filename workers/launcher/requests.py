"""What the launcher is asked, one line of JSON per connection."""

import json
import socket
from dataclasses import dataclass
from typing import Any
from uuid import UUID

LONGEST = 16 * 1024
PATIENCE = 1.0


@dataclass(frozen=True)
class LaunchRequest:
    attempt_id: UUID
    token: str


def receive(connection: socket.socket) -> LaunchRequest:
    """:raises ValueError: it is not a request. :raises OSError: it did not come in time."""
    connection.settimeout(PATIENCE)
    with connection.makefile("rb") as lines:
        asked = json.loads(lines.readline(LONGEST))
    if not isinstance(asked, dict) or not isinstance(asked.get("token"), str):
        raise ValueError("the request must be an object with attempt_id and token")
    return LaunchRequest(UUID(str(asked.get("attempt_id"))), asked["token"])


def answer(connection: socket.socket, **fields: Any) -> None:
    connection.sendall(json.dumps(fields).encode() + b"\n")
