"""Forks a runner off that is nobody's child."""

import os
import signal
from pathlib import Path

EVERY_SIGNAL = signal.valid_signals()
HANDLED = (signal.SIGTERM, signal.SIGINT)
NUMBER_BYTES = 8


def fork_detached(log: Path) -> int:
    """Return 0 in a new detached process, and the number of that process in this one.

    The new process is in a session of its own, prints to the log and ends on TERM and INT.

    :raises OSError: there are too many processes already.
    """
    # a signal between fork and reset would run the launcher's handler in the runner
    before = signal.pthread_sigmask(signal.SIG_BLOCK, EVERY_SIGNAL)
    reading, writing = os.pipe()
    between = os.fork()
    if between == 0:
        os.close(reading)
        _fork_on(writing)
        os.close(writing)
        _settle_in(log)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return 0
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        number = pipe.read(NUMBER_BYTES)
    os.waitpid(between, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if not number:
        raise OSError("the runner could not be forked")
    return int.from_bytes(number, "little")


def _fork_on(writing: int) -> None:
    """Comes back in the runner only; the process between tells its number and is gone."""
    try:
        os.setsid()
        runner = os.fork()
    except OSError:
        os._exit(1)
    if runner:
        os.write(writing, runner.to_bytes(NUMBER_BYTES, "little"))
        os._exit(0)


def _settle_in(log: Path) -> None:
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for ours, standard in ((nothing, 0), (told, 1), (told, 2)):
        os.dup2(ours, standard)
    os.close(nothing)
    os.close(told)
