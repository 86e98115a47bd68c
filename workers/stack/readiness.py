"""Waiting for the doors to open."""

import http.client
import re
import time
from collections.abc import Mapping

from workers.stack import pieces
from workers.stack.folder import Folder
from workers.stack.pieces import Piece
from workers.stack.ports import LOOPBACK
from workers.stack.refusal import CannotStart

READY_SECONDS = 60
ERROR = re.compile(r"[\w.]*(Error|Exception|Refused)\b")
DOORS = (("web", "PORT_WEB", "/readyz"), ("live", "PORT_LIVE", "/livez"))


def wait_for_doors(ports: Mapping[str, int], folder: Folder, keeper: Piece) -> None:
    """Wait until both applications answer.

    :raises CannotStart: one did not in time; its log is named.
    """
    deadline = time.monotonic() + READY_SECONDS
    for name, variable, path in DOORS:
        port = ports[variable]
        while not _answers(port, path):
            if not pieces.is_alive(keeper):
                raise CannotStart(f"the keeper ended; {folder.log('supervisord')} says why")
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"{name} does not answer on port {port}; {folder.log(name)} says why"
                    f"{_last_words(folder, name)}"
                )
            time.sleep(0.05)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_words(folder: Folder, name: str) -> str:
    """The last error in a log, for what comes after it only says that something failed."""
    log = folder.log(name)
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    errors = [line for line in lines if ERROR.match(line)]
    return f", last: {errors[-1].strip()}" if errors else ""
