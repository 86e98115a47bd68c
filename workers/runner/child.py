"""Runs the user's command and makes sure that nothing of it outlives its end.

The runner makes itself a sub-reaper, so whatever the command starts stays below the runner even
when it leaves the process group, and can be found and killed. Child processes the runner had
before are left alone; others it must not start while a ``Child`` lives, which would take them for
the command's.
"""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import IO, cast

from adapters.kernel import become_subreaper, die_with_parent, out_of_memory_kills
from adapters.processes import Process, descendants_of, kill_all
from workers.runner.exits import SHELL_KILLED, CannotStart, Exit, Failure

LEFTOVER_GRACE = 1.0
SWEEP_SECONDS = 10.0


@dataclass(frozen=True)
class Command:
    """What to run, and as whom; without a uid it runs as we do."""

    argv: Sequence[str]
    cwd: Path
    environment: Mapping[str, str]
    uid: int | None = None
    open_files: int = 4096
    processes: int = 4096


class Phase(Enum):
    RUNNING = auto()
    ASKED = auto()
    SWEEPING = auto()


class Child:
    """One started command. ``poll`` often: it moves everything along and never waits."""

    def __init__(self, command: Command) -> None:
        """Start it, from a thread that lives as long as the runner: its end ends the command.

        :raises CannotStart: there is no such command, or it can't be executed.
        """
        become_subreaper()
        self._before = frozenset(descendants_of(os.getpid()))
        self._memory_kills = out_of_memory_kills()
        self._process = _start(command)
        self.pid = self._process.pid
        self._phase = Phase.RUNNING
        self._deadline = self._give_up_at = float("inf")
        self._status: int | None = None
        self._leftovers_asked = False
        self._was_ended = False
        self._was_killed = False
        self._max_rss_bytes = 0
        self._cpu_seconds = 0.0

    @property
    def stdout(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stdout)

    @property
    def stderr(self) -> IO[bytes]:
        return cast("IO[bytes]", self._process.stderr)

    def signal_group(self, number: signal.Signals) -> None:
        """Signal the command's process group, as long as the command itself is there."""
        # once the leader is reaped its number may belong to a stranger
        if self._status is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def end(self, grace: float, *, politely: signal.Signals = signal.SIGTERM) -> None:
        """Ask the command to end, and have ``poll`` kill what is left after the grace.

        A second call can only shorten the grace.
        """
        if self._phase is Phase.RUNNING:
            self._was_ended = True
            self._phase = Phase.ASKED
            self.signal_group(politely)
            # a stopped process would not hear it
            self.signal_group(signal.SIGCONT)
        self._hurry(grace)

    def poll(self) -> Exit | None:
        """Reap, press on with an ending, and return the exit once nothing is left."""
        self.reap()
        if self._status is not None and self._phase is not Phase.SWEEPING:
            self._see_to_leftovers()
        if time.monotonic() >= self._deadline:
            self._kill()
        return self._exit() if self._is_over() else None

    def reap(self) -> None:
        """Take the exit of every child that has ended, the adopted orphans too."""
        if self._status is None and _has_ended(os.P_PID, self.pid):
            self._status = self._process.returncode = self._take(self.pid)
        strangers = {process.pid for process in self._before}
        while (pid := _has_ended(os.P_ALL)) and pid not in strangers and pid != self.pid:
            self._take(pid)

    def _take(self, pid: int) -> int:
        _, status, usage = os.wait4(pid, 0)
        self._max_rss_bytes = max(self._max_rss_bytes, usage.ru_maxrss * 1024)
        self._cpu_seconds += usage.ru_utime + usage.ru_stime
        return os.waitstatus_to_exitcode(status)

    def _descendants(self) -> list[Process]:
        return descendants_of(os.getpid(), besides=self._before)

    def _see_to_leftovers(self) -> None:
        if self._leftovers_asked:
            return
        self._leftovers_asked = True
        self._phase = Phase.ASKED
        for process in self._descendants():
            process.signal(signal.SIGTERM)
        self._hurry(LEFTOVER_GRACE)

    def _hurry(self, grace: float) -> None:
        if self._phase is not Phase.SWEEPING:
            self._deadline = min(self._deadline, time.monotonic() + grace)

    def _kill(self) -> None:
        if self._phase is not Phase.SWEEPING:
            self._phase = Phase.SWEEPING
            self._give_up_at = time.monotonic() + SWEEP_SECONDS
            self._was_killed = self._status is None
        self.signal_group(signal.SIGKILL)
        kill_all(self._descendants)
        self.reap()

    def _is_over(self) -> bool:
        if self._phase is Phase.SWEEPING and time.monotonic() >= self._give_up_at:
            return True
        return self._status is not None and not self._descendants()

    def _exit(self) -> Exit:
        status = self._status if self._status is not None else -signal.SIGKILL
        return Exit(
            code=status if status >= 0 else None,
            signal=-status if status < 0 else None,
            was_ended=self._was_ended,
            lacked_memory=status in (-signal.SIGKILL, SHELL_KILLED) and self._lacked_memory(),
            max_rss_bytes=self._max_rss_bytes,
            cpu_seconds=self._cpu_seconds,
            left_behind=len(self._descendants()),
        )

    def _lacked_memory(self) -> bool:
        """A guess: a kill that wasn't ours, while the kernel was killing for memory."""
        if self._was_killed:
            return False
        return self._memory_kills is None or out_of_memory_kills() != self._memory_kills


def _has_ended(kind: int, pid: int = 0) -> int | None:
    """The number of a child that waits to be reaped, if one does."""
    try:
        ended = os.waitid(kind, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return ended.si_pid if ended else None


def _start(command: Command) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            list(command.argv),
            cwd=command.cwd,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            umask=0o077,
            user=command.uid,
            group=command.uid,
            extra_groups=None if command.uid is None else [],
            preexec_fn=_prepare(command),
        )
    except FileNotFoundError as problem:
        raise CannotStart(Failure.COMMAND_NOT_FOUND, _told(command, problem)) from None
    except OSError as problem:
        raise CannotStart(Failure.NOT_EXECUTABLE, _told(command, problem)) from None


def _told(command: Command, problem: OSError) -> str:
    where = problem.filename or command.argv[0]
    return f"the command could not be started: {os.fsdecode(where)}: {problem.strerror}"


def _prepare(command: Command) -> Callable[[], None]:
    """What the child does to itself after it has changed its user: that would undo some of it."""
    runner = os.getpid()
    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, command.open_files)]
    if command.uid:
        # the kernel counts per user: a limit means something only where the user is the run's own
        limits.append((resource.RLIMIT_NPROC, command.processes))

    def prepare() -> None:
        die_with_parent(runner)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for kind, limit in limits:
            hard = resource.getrlimit(kind)[1]
            limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (limit, limit))

    return prepare
