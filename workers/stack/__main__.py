"""`make run`: one machine's stack, from the first check to the last process gone."""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Never

from settings import SettingsRefused
from workers.stack.folder import CHECKOUT, Folder, held, prepare
from workers.stack.refusal import CannotStart

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WATCH_SECONDS = 1


class Leave(BaseException):
    """Somebody asked us to stop: Ctrl-C, TERM, or a terminal that was closed."""


def main(listing: Path = CHECKOUT / "Procfile") -> None:
    """Run the processes of a Procfile, and what they need, until somebody asks for the end."""
    for number in SIGNALS:
        # What nohup told us not to hear we do not hear.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _leave)
    try:
        folder = prepare(os.environ)
        with held(folder):
            run(folder, listing)
    except Leave:
        return
    except (CannotStart, SettingsRefused) as reason:
        sys.exit(f"Runyard cannot start: {reason}")


def run(folder: Folder, listing: Path) -> Never:
    """Start the stack, say where everything is, and keep it up."""
    # Only now, so that what goes wrong before it is said at once.
    from workers.stack.stack import Stack
    from workers.stack.summary import setup_token, summary

    stack = Stack(folder, dict(os.environ), listing)
    _say_all("ended what an earlier stack had left: {}", stack.end_leftovers())
    try:
        print("Starting Runyard …", flush=True)
        stack.start()
        print(summary(stack.environment, folder, setup_token()), flush=True)
        while True:
            time.sleep(WATCH_SECONDS)
            _say_all("{} had died and was started again", stack.mend())
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        stack.end()


def _leave(number: int, frame: FrameType | None) -> Never:
    raise Leave


def _say_all(sentence: str, names: list[str]) -> None:
    for name in names:
        print(sentence.format(name), flush=True)


if __name__ == "__main__":
    main()
