"""How a command ended, and what that means."""

import signal
from dataclasses import dataclass
from enum import StrEnum

SHELL_KILLED = 128 + signal.SIGKILL


class Failure(StrEnum):
    COMMAND_NOT_FOUND = "command_not_found"
    NOT_EXECUTABLE = "not_executable"
    EXIT_CODE = "exit_code"
    KILLED = "killed"
    OUT_OF_MEMORY = "out_of_memory"


class CannotStart(Exception):
    """The command could not be started at all; ``failure`` says of which kind the reason is."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True)
class Exit:
    """The end of a command and of all it had started.

    Memory is that of its largest process, processor time that of all of them. ``left_behind``
    counts processes that could not be killed; it is 0 unless the kernel itself holds one.
    """

    code: int | None
    signal: int | None
    was_ended: bool
    lacked_memory: bool
    max_rss_bytes: int
    cpu_seconds: float
    left_behind: int = 0

    @property
    def succeeded(self) -> bool:
        return self.code == 0

    @property
    def failure(self) -> Failure | None:
        """What went wrong, None for a success; for an ended command it says little."""
        if self.succeeded:
            return None
        if self.lacked_memory:
            return Failure.OUT_OF_MEMORY
        return Failure.KILLED if self.signal else Failure.EXIT_CODE

    @property
    def detail(self) -> str:
        """One sentence for people."""
        if self.lacked_memory:
            return "the command was killed, most likely because the machine ran out of memory"
        if self.signal:
            meaning = signal.strsignal(self.signal) or "unnamed"
            return f"the command was ended by signal {self.signal} ({meaning})"
        return f"the command ended with exit code {self.code}"
