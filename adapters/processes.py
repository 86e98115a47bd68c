"""The processes of this host, each named by its number and when it started.

A number alone may have passed to a stranger by the time one acts on it.
"""

import os
import signal
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PARENT = 1
STARTED = 19
DEAD = ("Z", "X")
PASSES = 50


@dataclass(frozen=True)
class Process:
    """One living process; ``started`` is in the kernel's ticks since it booted."""

    pid: int
    parent: int = field(compare=False)
    started: int

    @property
    def is_alive(self) -> bool:
        return started(self.pid) == self.started

    @property
    def uid(self) -> int | None:
        with suppress(OSError):
            return Path(f"/proc/{self.pid}").stat().st_uid
        return None

    def variables(self) -> dict[str, str]:
        """The environment it was started with; empty where we may not look."""
        try:
            raw = Path(f"/proc/{self.pid}/environ").read_bytes()
        except OSError:
            return {}
        pairs = (entry.partition("=") for entry in os.fsdecode(raw).split("\0") if "=" in entry)
        return {name: value for name, _, value in pairs}

    def signal(self, number: signal.Signals) -> None:
        """Signal it, unless it is gone."""
        if self.is_alive:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)


def processes() -> Iterator[Process]:
    """Every living process that we can see; zombies are not alive."""
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and (process := find_process(int(entry))):
            yield process


def find_process(pid: int) -> Process | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # the name in parentheses may itself hold spaces and parentheses
    state, *fields = stat.rpartition(")")[2].split()
    if state in DEAD:
        return None
    return Process(pid, parent=int(fields[PARENT - 1]), started=int(fields[STARTED - 1]))


def started(pid: int) -> int | None:
    """When this process started, None if it is gone."""
    process = find_process(pid)
    return process.started if process else None


def descendants_of(pid: int, *, besides: Collection[Process] = ()) -> list[Process]:
    """All living processes below this one, however deep, also those in sessions of their own.

    Those given as ``besides`` are left out, with all that is below them.
    """
    children: dict[int, list[Process]] = {}
    for process in processes():
        if process not in besides:
            children.setdefault(process.parent, []).append(process)
    found = list(children.get(pid, ()))
    for process in found:
        found.extend(children.get(process.pid, ()))
    return found


def kill_all(find: Callable[[], Iterable[Process]]) -> None:
    """Kill what is found; all are frozen first, so that none can fork while we count."""
    frozen: set[Process] = set()
    for _ in range(PASSES):
        fresh = set(find()) - frozen
        if not fresh:
            break
        for process in fresh:
            process.signal(signal.SIGSTOP)
        frozen |= fresh
    for process in frozen:
        process.signal(signal.SIGKILL)
