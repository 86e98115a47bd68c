"""Which Python the environments of runs are made from."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from adapters.reach import anyone_can_execute

SYSTEM_PYTHONS = tuple(f"/usr/bin/python3.{minor}" for minor in (13, 12, 11))
DESCRIBE = (
    "import json, platform, sys, sysconfig; "
    "print(json.dumps([platform.python_implementation(), platform.python_version(),"
    " sysconfig.get_platform(), platform.libc_ver()[0]]))"
)


@dataclass(frozen=True)
class Interpreter:
    """``is_isolated`` is false when runs have to share a user with us to be able to execute it."""

    path: str
    is_isolated: bool


def find_python(uid: int | None, configured: str | None = None) -> Interpreter:
    """The interpreter for runs that execute as this user, or as ourselves for None.

    Ours may lie below a home that others can't enter; then one of the system's is taken.
    """
    if configured:
        return Interpreter(configured, uid is None or anyone_can_execute(Path(configured)))
    own = Path(_base_executable()).resolve()
    if uid is None:
        return Interpreter(str(own), True)
    for candidate in (own, *map(Path, SYSTEM_PYTHONS)):
        if anyone_can_execute(candidate):
            return Interpreter(str(candidate), True)
    return Interpreter(str(own), False)


@lru_cache
def describe(python: str) -> str:
    """What compiled packages for this interpreter depend on: kind, version, platform, libc."""
    asked = subprocess.run(
        [python, "-I", "-S", "-c", DESCRIBE], capture_output=True, text=True, check=True, timeout=30
    )
    return "-".join(part for part in _strings(asked.stdout) if part)


def _strings(text: str) -> Iterator[str]:
    yield from map(str, json.loads(text))


def _base_executable() -> str:
    # in a virtual environment this is the interpreter it was made from
    base: str = getattr(sys, "_base_executable", sys.executable)
    return base
