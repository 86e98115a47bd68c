"""Throw-away PostgreSQL and Valkey for one test session.

They are the embedded engines in a temporary folder, never those of ``make run``, and they heed
neither ``DATABASE_URL`` nor ``REDIS_URL``, so that tests cannot empty somebody's database. Name
servers for tests with ``RUNYARD_TEST_DATABASE_URL`` and ``RUNYARD_TEST_REDIS_URL``.

``python -m tests.servers`` starts both, prints how to reach them and waits for Ctrl-C.
"""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workers.stack import engines
from workers.stack.account import server_account
from workers.stack.pieces import Ledger
from workers.stack.ports import free_port
from workers.stack.postgres import TUNING, Postgres, start_postgres
from workers.stack.refusal import CannotStart
from workers.stack.valkey import Valkey, start_valkey

ATTEMPTS = 3
OWNER_PASSWORD = secrets.token_urlsafe()  # the same for every attempt at one cluster
CARELESS = {
    **TUNING,
    "shared_buffers": "64MB",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
FORGETFUL = {"appendonly": "no", "maxmemory-policy": "noeviction"}


@dataclass(frozen=True)
class Servers:
    """The addresses of both servers, and how to be rid of them."""

    database_url: str
    redis_url: str
    ledger: Ledger

    def stop(self) -> None:
        """End what was started here and remove its folder."""
        _remove(self.ledger)


def start_servers() -> Servers:
    """Start the servers that the environment does not name."""
    _remove_abandoned()
    ledger = Ledger(_make_folder() / "pieces.json")
    try:
        return Servers(
            os.environ.get("RUNYARD_TEST_DATABASE_URL") or _start(_postgres, ledger),
            os.environ.get("RUNYARD_TEST_REDIS_URL") or _start(_valkey, ledger),
            ledger,
        )
    except BaseException:
        _remove(ledger)
        raise


def _start(start: Callable[[Ledger], str], ledger: Ledger) -> str:
    for _ in range(ATTEMPTS - 1):
        # Somebody else may take the port between our look and our start.
        with suppress(CannotStart):
            return start(ledger)
    return start(ledger)


def _postgres(ledger: Ledger) -> str:
    folder, account = ledger.file.parent, server_account()
    server = Postgres(
        programs=engines.postgres_programs(account, folder / "engines"),
        folder=folder / "postgres",
        account=account,
        port=free_port(),
        password=secrets.token_urlsafe(),
        owner_password=OWNER_PASSWORD,
    )
    log = folder / "postgres.log"
    start_postgres(server, ledger, log=log, tuning=CARELESS, role_options="CREATEDB")
    return server.url


def _valkey(ledger: Ledger) -> str:
    folder, account = ledger.file.parent, server_account()
    server = Valkey(
        program=engines.valkey_program(account, folder / "engines"),
        folder=folder / "valkey",
        account=account,
        port=free_port(),
        password=secrets.token_urlsafe(),
    )
    start_valkey(server, ledger, log=folder / "valkey.log", keeping=FORGETFUL)
    return server.url


def _remove(ledger: Ledger) -> None:
    ledger.end_all(within=10)
    shutil.rmtree(ledger.file.parent, ignore_errors=True)


def _make_folder() -> Path:
    base = next(
        path
        for path in (Path(tempfile.gettempdir()), Path("/var/tmp"))
        if engines.is_traversable(path)
    )
    folder = Path(tempfile.mkdtemp(prefix=f"runyard-test-{os.getpid()}-", dir=base))
    folder.chmod(0o711)
    return folder


def _remove_abandoned() -> None:
    """End the servers of sessions that were killed before they could do it themselves."""
    for folder in Path(tempfile.gettempdir()).glob("runyard-test-*"):
        session = int(folder.name.split("-")[2])
        if folder.stat().st_uid == os.geteuid() and not Path(f"/proc/{session}").exists():
            _remove(Ledger.read(folder / "pieces.json"))


def _wait_for_interrupt() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    servers = start_servers()
    print(f"export DATABASE_URL={servers.database_url} REDIS_URL={servers.redis_url}", flush=True)
    _wait_for_interrupt()
    servers.stop()
