"""Waiting for what was asked of an installation."""

import time
from typing import Any

from bench.connection import Connection, Refused

OVER = ("succeeded", "failed", "stopped", "skipped")
SETTLED = ("succeeded", "failed", "cancelled", "expired", "quarantined")
PATIENCE_SECONDS = 300.0


def run_that_is_over(connection: Connection, run_id: str) -> Any:
    """The run once it has ended. :raises Refused: it did not succeed, or not in time."""
    return _wait(connection, f"/runs/{run_id}", OVER)


def settled_intent(connection: Connection, intent_id: str) -> Any:
    """The intent once it is settled. :raises Refused: it did not succeed, or not in time."""
    return _wait(connection, f"/intents/{intent_id}", SETTLED)


def _wait(connection: Connection, path: str, ends: tuple[str, ...]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := connection.get(path))["state"] not in ends:
        if time.monotonic() > deadline:
            raise Refused(f"{path} is still {found['state']}")
        time.sleep(0.05)
    if found["state"] != "succeeded":
        raise Refused(f"{path} is {found['state']}: {found}")
    return found
