"""Runs one of our own tools to its end, heard line by line, and ended when nobody wants it."""

import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from adapters.kernel import die_with_parent

TICK = 0.2


class CommandAbandoned(Exception):
    """The command was ended before its time because ``go_on`` said no."""


def run_streamed(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
    go_on: Callable[[], bool],
) -> int:
    """Run a command, pass on each line it prints, and return its exit code.

    :raises CommandAbandoned: it was not to go on; nothing of it is left.
    """
    us = os.getpid()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=0o022,
        preexec_fn=lambda: die_with_parent(us),
    ) as process:
        try:
            _pass_on(process, on_line, go_on)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode


def _pass_on(
    process: "subprocess.Popen[bytes]", on_line: Callable[[str], None], go_on: Callable[[], bool]
) -> None:
    stdout = cast("IO[bytes]", process.stdout)
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            if not go_on():
                raise CommandAbandoned
            if not selector.select(TICK):
                continue
            chunk = os.read(stdout.fileno(), 65536)
            *lines, rest = (rest + chunk).split(b"\n")
            if not chunk and rest:
                lines.append(rest)
            for line in lines:
                on_line(line.decode(errors="replace").rstrip())
            if not chunk:
                return
