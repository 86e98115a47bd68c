"""``python -m demo``: exits with 0 only when all that it shows has really happened."""

import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Never

from demo import credentials, running
from demo.api import Api, Refused
from demo.board import Board, DemoFailed
from demo.bundle import BundleBroken
from demo.display import Display
from demo.listening import Listener
from demo.story import Story
from workers.stack.refusal import CannotStart

INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    display = Display()
    for number in SIGNALS:
        signal.signal(number, _leave)
    try:
        with running.stack(display.say) as environment:
            os.environ.update({**environment, **os.environ})
            _tell_story(display, Path(environment["RUNYARD_DATA_DIR"]), environment)
    except KeyboardInterrupt:
        display.say("Interrupted.")
        return INTERRUPTED
    except (BundleBroken, CannotStart, DemoFailed, LookupError, Refused) as reason:
        display.say(f"The demo failed: {reason}")
        return 1
    display.chapter("All of that really happened.")
    return 0


def _tell_story(display: Display, data: Path, environment: dict[str, str]) -> None:
    with ExitStack() as leaving:
        password_file = data / "demo-admin"
        if credentials.make_administrator_if_none(password_file):
            display.say(
                f"Nobody administered this installation, so the demo made {credentials.EMAIL} "
                f"its administrator. The password is in {password_file}"
            )
        key = leaving.enter_context(credentials.key_of_first_administrator())
        board, api = Board(), Api(environment["RUNYARD_PUBLIC_URL"], key)
        listener = Listener(api, environment["RUNYARD_LIVE_URL"], board)
        leaving.callback(listener.end)
        story = Story(api, board, listener, display, data / "demo")
        leaving.callback(story.end_runs)
        story.tell()


def _leave(number: int, frame: FrameType | None) -> Never:
    """Only once: what was begun is ended in peace."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
