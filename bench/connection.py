"""One HTTP connection that stays open, with a stopwatch."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

PATIENCE_SECONDS = 30


class Refused(Exception):
    """An answer that no measurement may count."""


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took from the first byte sent to the last received."""

    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """Calls the native API; not to be shared by threads."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self.token = token
        self._http = HTTPConnection(host, port, timeout=PATIENCE_SECONDS)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        wanted: range = range(200, 300),
    ) -> Answer:
        """Ask once, timed; a path that does not begin with /api is one of the native API.

        :raises Refused: the answer is not one of those wanted.
        """
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        address = path if path.startswith("/api/") else f"/api/v1{path}"
        sent = {
            "Content-Type": "application/json",
            "Idempotency-Key": uuid4().hex,
            **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
            **(headers or {}),
        }
        began = time.perf_counter()
        self._http.request(method, address, content, sent)
        response = self._http.getresponse()
        answer = Answer(response.status, response.read(), time.perf_counter() - began)
        if answer.status not in wanted:
            said = answer.body.decode(errors="replace")[:300]
            raise Refused(f"{method} {address} was answered {answer.status}: {said}")
        return answer

    def get(self, path: str) -> Any:
        return self.ask("GET", path).json()

    def post(self, path: str, body: Any = None) -> Any:
        return self.ask("POST", path, {} if body is None else body).json()
