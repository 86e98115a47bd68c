"""Pieces: the processes that make up a stack, each leading a session of its own.

A session outlives its leader, so whatever a piece started can be found and ended even after the
piece itself was killed. Pieces are written down with the moment of their birth, so that a number
given again to a stranger is never mistaken for ours.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from workers.stack.account import Account

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Piece:
    """A process of the stack; ``farewell`` is the signal that asks it to leave in good order."""

    name: str
    pid: int
    birth: str
    farewell: int


def is_alive(piece: Piece) -> bool:
    _reap(piece.pid)
    return _birth(piece.pid) == piece.birth


def end(piece: Piece, *, within: float) -> None:
    """Ask the piece to leave, and after so many seconds make it and all it started go."""
    if is_alive(piece):
        os.kill(piece.pid, piece.farewell)
        wait_until(lambda: not is_alive(piece), within)
    elif _birth(piece.pid) or not _is_of_this_boot(piece):
        return
    for signal_ in (signal.SIGTERM, signal.SIGKILL):
        for pid in _session(piece.pid):
            _signal(pid, signal_)
        wait_until(lambda: not any(_session(piece.pid)), 2)


def wait_until(condition: Callable[[], bool], within: float) -> bool:
    """Wait for something to become true; whether it did in time."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


class Ledger:
    """The pieces of one stack, written down as soon as they are started."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.pieces: dict[str, Piece] = {}

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        farewell: signal.Signals = signal.SIGTERM,
    ) -> Piece:
        """Start a piece; what it prints goes to the log."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,
                **(account.switch if account else {}),
            )
        # We reap by ourselves; the object would warn of a child still running.
        process.returncode = 0
        # Even if it has died since, it is there to be read until we reap it.
        _, birth = _stat(process.pid) or ("", "")
        piece = Piece(name, process.pid, birth, int(farewell))
        self.pieces[name] = piece
        self._write()
        return piece

    def end(self, name: str, *, within: float) -> None:
        """End a piece and all it started, and forget it."""
        end(self.pieces[name], within=within)
        del self.pieces[name]
        self._write()

    def end_all(self, *, within: float) -> None:
        """End the pieces, the youngest first, for it may need the older ones."""
        for name in reversed(list(self.pieces)):
            self.end(name, within=within)

    @classmethod
    def read(cls, file: Path) -> "Ledger":
        """The pieces written down by a stack before us; none of them need be alive."""
        ledger = cls(file)
        if file.exists():
            found = (Piece(**fields) for fields in json.loads(file.read_text()))
            ledger.pieces = {piece.name: piece for piece in found}
        return ledger

    def _write(self) -> None:
        unfinished = self.file.with_suffix(".new")
        unfinished.write_text(json.dumps([asdict(piece) for piece in self.pieces.values()]))
        unfinished.replace(self.file)


def _session(leader: int) -> Iterator[int]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and _session_of(int(entry)) == leader and _birth(int(entry)):
            yield int(entry)


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _stat(pid: int) -> tuple[str, str] | None:
    """The state of a process, and the boot and clock tick at which it was born."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], f"{_boot()}/{fields[19]}"


def _birth(pid: int) -> str | None:
    """When a process was born; None when it is dead, though its parent may not know it yet."""
    match _stat(pid):
        case (state, birth) if state != "Z":
            return birth
    return None


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _is_of_this_boot(piece: Piece) -> bool:
    return piece.birth.startswith(_boot())
