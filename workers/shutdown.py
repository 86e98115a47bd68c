"""SIGTERM and Ctrl-C: finish the current thing, then leave."""

import signal
from types import FrameType


class Shutdown:
    """Whether somebody asked us to leave."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
