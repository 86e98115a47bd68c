"""Calling the API as any client would, over HTTP and with a key."""

import json
import shutil
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

PATIENCE_SECONDS = 30


class Refused(Exception):
    """The API did not do what it was asked."""


class Api:
    """The native API of one installation, with one key."""

    def __init__(self, base_url: str, token: str) -> None:
        self.base_url, self.token = base_url.rstrip("/"), token

    def get(self, path: str, **query: object) -> Any:
        """What is read there. :raises Refused:"""
        asked = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        with self._open("GET", asked) as answer:
            return json.load(answer)

    def post(self, path: str, body: object = None) -> Any:
        """What came of it; asked twice by accident it is done once. :raises Refused:"""
        with self._open("POST", path, body or {}) as answer:
            return json.load(answer)

    def download(self, path: str, target: Path) -> None:
        """Write what is read there to a file. :raises Refused:"""
        with self._open("GET", path) as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)

    def _open(self, method: str, path: str, body: object = None) -> IO[bytes]:
        asked = urllib.request.Request(  # noqa: S310 - the address of our own stack
            f"{self.base_url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "Idempotency-Key": uuid4().hex,
            },
        )
        try:
            answer: IO[bytes] = urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS)  # noqa: S310 - the same
        except urllib.error.HTTPError as refusal:
            said = refusal.read().decode(errors="replace")
            raise Refused(f"{method} {path} was answered {refusal.code}: {said[:500]}") from None
        except urllib.error.URLError as problem:
            raise Refused(f"{method} {path} found nobody: {problem.reason}") from None
        return answer
