"""The keeper: supervisord, which starts the processes of the Procfile and restarts what dies."""

import os
import pwd
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from workers.stack import pieces, procfile, supervisord
from workers.stack.folder import CHECKOUT, Folder
from workers.stack.pieces import Ledger
from workers.stack.secret_file import write_private

NAME = "supervisord"
LONGEST_STOP_SECONDS = supervisord.LONGEST_PATIENCE + 10
AT_REST = ("STOPPED", "EXITED", "FATAL", "BACKOFF")


def start_keeper(
    folder: Folder, ledger: Ledger, environment: Mapping[str, str], *, listing: Path
) -> None:
    """Start the keeper on a Procfile."""
    configuration = folder.path / "supervisord.conf"
    commands = procfile.read(listing)
    user = pwd.getpwuid(os.geteuid()).pw_name
    text = supervisord.render(commands, folder, user=user)
    write_private(configuration, text)
    ledger.start(
        NAME,
        [sys.executable, "-m", "supervisor.supervisord", "-c", configuration],
        log=folder.log("supervisord"),
        folder=CHECKOUT,
        environment=environment,
    )


def start_all(folder: Folder) -> None:
    """Start the processes that wait for the doors to be open."""
    _keeper(folder).startAllProcesses(False)


def states(folder: Folder) -> dict[str, str]:
    """What the keeper says of each process."""
    return {str(p["name"]): str(p["statename"]) for p in _keeper(folder).getAllProcessInfo()}


def rest(folder: Folder, names: Iterable[str]) -> None:
    """Stop some processes, and wait until they are gone."""
    chosen = [name for name in names if states(folder)[name] not in AT_REST]
    for name in chosen:
        _stop(folder, name)
    pieces.wait_until(
        lambda: all(states(folder)[name] in AT_REST for name in chosen), LONGEST_STOP_SECONDS
    )


def _stop(folder: Folder, name: str) -> None:
    try:
        _keeper(folder).stopProcess(name, False)
    except Fault:  # it ended by itself in between
        return


def _keeper(folder: Folder) -> Any:
    transport = SupervisorTransport("", "", serverurl=f"unix://{folder.control_socket}")
    # The address is only there because the proxy wants one; the transport takes the socket.
    return ServerProxy("http://keeper", transport=transport).supervisor
