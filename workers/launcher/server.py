"""The launcher's loop."""

import logging
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from workers.launcher.door import Door
from workers.launcher.forking import HANDLED, fork_detached
from workers.launcher.requests import LaunchRequest, answer, receive

log = logging.getLogger(__name__)
TICK = 0.5
SWEEP_SECONDS = 5.0


def serve(
    socket_path: Path, *, runner_log: Path, sweep: Callable[[], object]
) -> LaunchRequest | None:
    """Fork a runner for each request.

    It returns a request in every new runner, which has to carry it out, and None in the launcher
    itself, once another one has taken its place. TERM and INT raise ``SystemExit``.
    """
    for number in HANDLED:
        signal.signal(number, _leave)
    door = Door(socket_path)
    try:
        request = _serve(door, runner_log, sweep)
    except BaseException:
        door.close()
        raise
    door.leave()
    return request


def _serve(door: Door, runner_log: Path, sweep: Callable[[], object]) -> LaunchRequest | None:
    sweep_at = 0.0
    while not door.is_taken:
        door.mend()
        caller = door.next_caller(TICK)
        if caller and (request := _attend(caller, runner_log)):
            return request
        if time.monotonic() >= sweep_at:
            sweep()
            sweep_at = time.monotonic() + SWEEP_SECONDS
    log.warning("another launcher has taken over")
    return None


def _attend(caller: socket.socket, runner_log: Path) -> LaunchRequest | None:
    """Fork for one caller; the request comes back in the runner only."""
    with caller, suppress(ConnectionError, TimeoutError):
        try:
            request = receive(caller)
            runner = fork_detached(runner_log)
        except (OSError, ValueError) as problem:
            log.warning("not launched: %s", problem)
            answer(caller, error=str(problem))
            return None
        if runner == 0:
            return request
        answer(caller, pid=runner)
        log.info("launched runner %d for attempt %s", runner, request.attempt_id)
    return None


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
