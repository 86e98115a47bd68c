"""The stack the demo talks to: the one that runs here, or one of its own."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workers.stack.environment import published
from workers.stack.folder import CHECKOUT, data_folder
from workers.stack.refusal import CannotStart

READY = "Ctrl-C stops everything."
LONGEST_END_SECONDS = 120


@contextmanager
def stack(say: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """The environment of a stack that answers; one started here ends with the block.

    :raises CannotStart: none could be started.
    """
    if (environment := _environment()) is not None:
        say(f"Using the stack that runs at {environment['RUNYARD_PUBLIC_URL']}")
        yield environment
        return
    say("No stack runs here, so the demo starts one and ends it afterwards …")
    process = _start()
    try:
        _wait_until_ready(process)
        yield published(data_folder(os.environ).environment)
    finally:
        say("Ending the stack …")
        _end(process)


def _environment() -> dict[str, str] | None:
    try:
        environment = published(data_folder(os.environ).environment)
        # A stack that was killed could not take its file with it.
        with urllib.request.urlopen(f"{environment['RUNYARD_PUBLIC_URL']}/readyz", timeout=5):  # noqa: S310 - our own stack
            return environment
    except (CannotStart, OSError):
        return None


def _start() -> subprocess.Popen[str]:
    # In a session of its own: Ctrl-C is for the demo, which ends the stack last.
    return subprocess.Popen(
        [sys.executable, "-m", "workers.stack"],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    said: list[str] = []
    for line in process.stdout or ():
        if READY in line:
            return
        said.append(line)
    raise CannotStart("".join(said).strip() or "the stack ended without a word")


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=LONGEST_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.terminate()
