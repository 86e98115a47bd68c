"""Ending the runs of this machine before its stack ends."""

import os
import signal
from contextlib import suppress

from domain.runs import shutdown
from models.session import transaction
from settings import settings
from workers.stack import keeper, pieces
from workers.stack.environment import MARK
from workers.stack.folder import Folder

TAKES_NEW_WORK = ("beat", "launcher", "worker-")
MORE_THAN_GRACE_SECONDS = 10


def end_runs(folder: Folder) -> None:
    """Let nothing new begin here, stop the runs of this host with their grace, then all else."""
    everything = keeper.states(folder)
    keeper.rest(folder, [name for name in everything if name.startswith(TAKES_NEW_WORK)])
    with transaction() as session:
        shutdown.stop_local_runs(session, settings().host)
    patience = settings().stop_grace_seconds + MORE_THAN_GRACE_SECONDS
    pieces.wait_until(lambda: _live_attempts() == 0, patience)
    # All at once; left to itself the keeper would stop one after the other.
    keeper.rest(folder, everything)


def end_strays(folder: Folder) -> None:
    """End whatever carries this stack's mark and has left every session that we know."""
    mark = f"{MARK}={folder.path}".encode()
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid() and mark in _environment(entry):
            with suppress(ProcessLookupError):
                os.kill(int(entry), signal.SIGKILL)


def _live_attempts() -> int:
    with transaction() as session:
        return shutdown.live_attempt_count(session, settings().host)


def _environment(entry: str) -> list[bytes]:
    try:
        with open(f"/proc/{entry}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:  # gone meanwhile, or not ours
        return []
