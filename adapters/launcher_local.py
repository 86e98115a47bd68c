"""Asks the launcher of this host for a runner."""

import json
from pathlib import Path
from uuid import UUID

from adapters.unix_sockets import connect_to
from domain.errors import Unavailable

PATIENCE = 2.0


class LaunchFailed(Unavailable):
    """The launcher isn't there or could not fork; nothing was started."""

    code = "launch_failed"


class LocalLauncher:
    """The ``Launcher`` port for runs on this machine."""

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path

    def launch(self, attempt_id: UUID, token: str) -> int:
        """Have a runner started and return its process number.

        :raises LaunchFailed: there is no launcher, or it says why not.
        """
        request = json.dumps({"attempt_id": str(attempt_id), "token": token})
        try:
            with connect_to(self._socket_path, timeout=PATIENCE) as connection:
                connection.sendall(request.encode() + b"\n")
                with connection.makefile("rb") as answers:
                    answer = json.loads(answers.readline() or "{}")
        except (OSError, ValueError) as problem:
            raise LaunchFailed(f"the launcher of this host does not answer: {problem}") from None
        if "pid" not in answer:
            raise LaunchFailed(f"the launcher refused: {answer.get('error', 'no answer')}")
        return int(answer["pid"])
