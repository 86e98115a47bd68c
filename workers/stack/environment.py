"""The environment that all processes of a stack share."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from workers.stack.folder import CHECKOUT, Folder
from workers.stack.ports import LOOPBACK
from workers.stack.refusal import CannotStart
from workers.stack.secret_file import Secrets, write_private

PORTS = {"PORT_WEB": 8000, "PORT_LIVE": 8001, "PORT_FLOWER": 5555}
MARK = "RUNYARD_STACK"


def ports(environment: Mapping[str, str]) -> dict[str, int]:
    """The ports of the doors, by the variable that sets each.

    :raises CannotStart: a variable is no port number.
    """
    return {name: _port(name, environment.get(name) or usual) for name, usual in PORTS.items()}


def compose(
    folder: Folder,
    secrets: Secrets,
    environment: Mapping[str, str],
    *,
    database_url: str,
    redis_url: str,
) -> dict[str, str]:
    """What a stack adds to the environment; what the user set stays as it is."""
    door = {name: str(number) for name, number in ports(environment).items()}
    ours = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "RUNYARD_SECRET_KEY": secrets.secret_key,
        "RUNYARD_RUNS_DIR": str(folder.runs),
        "RUNYARD_ARTIFACTS_DIR": str(folder.artifacts),
        "RUNYARD_PUBLIC_URL": f"http://{LOOPBACK}:{door['PORT_WEB']}",
        "RUNYARD_LIVE_URL": f"ws://{LOOPBACK}:{door['PORT_LIVE']}",
        "FLOWER_BASIC_AUTH": f"runyard:{secrets.flower}",
        "FLOWER_COOKIE_SECRET": secrets.flower_cookie,
        **door,
    }
    kept = {name: environment.get(name) or value for name, value in ours.items()}
    return {**kept, "RUNYARD_DATA_DIR": str(folder.path)}


def for_processes(composed: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a process of the stack, marked so that it can be found again."""
    return {
        **environment,
        **composed,
        "PATH": _before(Path(sys.executable).parent, environment.get("PATH", os.defpath)),
        "PYTHONPATH": _before(CHECKOUT, environment.get("PYTHONPATH", "")),
        "PYTHONUNBUFFERED": "1",
        MARK: composed["RUNYARD_DATA_DIR"],
    }


def publish(composed: Mapping[str, str], file: Path) -> None:
    """Write the environment down for the commands of this machine."""
    lines = (f"export {name}={shlex.quote(value)}\n" for name, value in sorted(composed.items()))
    write_private(file, "".join(lines))


def published(file: Path) -> dict[str, str]:
    """The environment of the stack that runs here.

    :raises CannotStart: none does.
    """
    if not file.exists():
        raise CannotStart("no stack runs here; start one with `make run`")
    words = shlex.split(file.read_text())
    return dict(word.split("=", 1) for word in words if word != "export")


def _before(folder: Path, others: str) -> str:
    return os.pathsep.join(filter(None, (str(folder), others)))


def _port(name: str, value: str | int) -> int:
    try:
        number = int(value)
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        raise CannotStart(f"{name} must be a port number between 1 and 65535, not {value!r}")
    return number
