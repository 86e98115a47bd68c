"""What we write into the environment of a command, so that it can be found again.

A runner that is killed outright can clean nothing up. By these marks the launcher knows which
processes of this host were started by which runner of which installation.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from adapters.processes import started

ATTEMPT = "RUNYARD_ATTEMPT_ID"
INSTALLATION = "RUNYARD_INSTALLATION"
RUNNER = "RUNYARD_RUNNER_PID"
RUNNER_STARTED = "RUNYARD_RUNNER_STARTED"


@dataclass(frozen=True)
class Marks:
    attempt_id: str
    installation: str
    runner: int
    runner_started: int

    @property
    def runner_is_gone(self) -> bool:
        return started(self.runner) != self.runner_started


def installation_of(data_dir: Path) -> str:
    """A name for the installation that keeps its data here, without telling where that is."""
    return hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]


def marks_of_this_runner(attempt_id: UUID, installation: str) -> dict[str, str]:
    """The variables a runner adds to the environment of the command it starts."""
    return {
        ATTEMPT: str(attempt_id),
        INSTALLATION: installation,
        RUNNER: str(os.getpid()),
        RUNNER_STARTED: str(started(os.getpid())),
    }


def read_marks(variables: Mapping[str, str]) -> Marks | None:
    """The marks in an environment, None if it bears none that make sense."""
    try:
        return Marks(
            attempt_id=variables[ATTEMPT],
            installation=variables[INSTALLATION],
            runner=int(variables[RUNNER]),
            runner_started=int(variables[RUNNER_STARTED]),
        )
    except (KeyError, ValueError):
        return None
