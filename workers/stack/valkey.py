"""An embedded Valkey: one folder, one password-protected server on the loopback interface."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workers.stack import pieces
from workers.stack.account import Account
from workers.stack.pieces import Ledger
from workers.stack.ports import LOOPBACK
from workers.stack.refusal import CannotStart

START_SECONDS = 30

# The broker must never drop a message to make room, and may lose one second at a power cut:
# what was accepted is in PostgreSQL and is sent again.
KEEPING = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory": "512mb",
    "maxmemory-policy": "noeviction",
}


@dataclass(frozen=True)
class Valkey:
    """Where the server lives and what opens it."""

    program: Path
    folder: Path
    account: Account
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"


def start_valkey(
    server: Valkey, ledger: Ledger, *, log: Path, keeping: Mapping[str, str] = KEEPING
) -> None:
    """Start the server and wait until it answers.

    :raises CannotStart: the server gave up.
    """
    server.folder.mkdir(mode=0o700, exist_ok=True)
    server.account.own(server.folder, 0o700)
    piece = ledger.start(
        "valkey",
        [server.program, _configure(server, keeping)],
        log=log,
        folder=server.folder,
        account=server.account,
    )
    pieces.wait_until(lambda: _answers(server) or not pieces.is_alive(piece), START_SECONDS)
    if not _answers(server):
        ledger.end("valkey", within=5)
        raise CannotStart(f"Valkey did not start; {log} says why")


def _configure(server: Valkey, keeping: Mapping[str, str]) -> Path:
    lines = {
        "bind": LOOPBACK,
        "port": str(server.port),
        "dir": str(server.folder),
        "save": '""',
        "requirepass": server.password,
        **keeping,
    }
    file = server.folder / "valkey.conf"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    server.account.own(file, 0o600)
    return file


def _answers(server: Valkey) -> bool:
    try:
        with socket.create_connection((LOOPBACK, server.port), timeout=1) as connection:
            connection.sendall(f"AUTH {server.password}\r\nPING\r\n".encode())
            return _read(connection, len("+OK\r\n+PONG\r\n")) == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False


def _read(connection: socket.socket, size: int) -> bytes:
    answer = b""
    while len(answer) < size and (more := connection.recv(size - len(answer))):
        answer += more
    return answer
