"""An embedded PostgreSQL: one folder, one password-protected server on the loopback interface."""

import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from workers.stack import pieces
from workers.stack.account import Account
from workers.stack.pieces import Ledger, Piece
from workers.stack.ports import LOOPBACK
from workers.stack.refusal import CannotStart

DATABASE = ROLE = "runyard"
OWNER = "postgres"
START_SECONDS = 60

# Moderate for one machine that also trains; nothing that gives up a committed change.
TUNING = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "idle_in_transaction_session_timeout": "60s",
}


@dataclass(frozen=True)
class Postgres:
    """Where the server lives and what opens it."""

    programs: Path
    folder: Path
    account: Account
    port: int
    password: str
    owner_password: str

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}:{self.password}@{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def owner_url(self) -> str:
        return f"postgresql://{OWNER}:{self.owner_password}@{LOOPBACK}:{self.port}/{OWNER}"


def start_postgres(
    server: Postgres,
    ledger: Ledger,
    *,
    log: Path,
    tuning: Mapping[str, str] = TUNING,
    role_options: str = "",
) -> None:
    """Start the server, creating cluster, role and database when they are not there.

    :raises CannotStart: the server gave up; its last line says why.
    """
    if not (server.folder / "PG_VERSION").exists():
        _create_cluster(server)
    piece = ledger.start(
        "postgres",
        [server.programs / "postgres", "-D", server.folder, *_options(server, tuning)],
        log=log,
        folder=server.folder,
        account=server.account,
        # "Fast" shutdown; the usual TERM would wait for clients that stay connected.
        farewell=signal.SIGINT,
    )
    pieces.wait_until(lambda: _is_ready(server, piece) or not pieces.is_alive(piece), START_SECONDS)
    if not _is_ready(server, piece):
        ledger.end("postgres", within=5)
        raise CannotStart(f"PostgreSQL did not start: {_last_line(log)}; the whole log is {log}")
    _ensure_database(server, role_options)


def _create_cluster(server: Postgres) -> None:
    server.folder.mkdir(mode=0o700, exist_ok=True)
    server.account.own(server.folder, 0o700)
    password = server.folder.with_name(f"{server.folder.name}.password")
    password.touch(mode=0o600)
    try:
        password.write_text(server.owner_password)
        server.account.own(password, 0o600)
        _run_initdb(server, password)
    finally:
        password.unlink()


def _run_initdb(server: Postgres, password: Path) -> None:
    done = subprocess.run(
        [
            server.programs / "initdb",
            *("-D", server.folder, "--username", OWNER, "--pwfile", password),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        ],
        cwd=server.folder,
        check=False,
        capture_output=True,
        text=True,
        **server.account.switch,
    )
    if done.returncode:
        raise CannotStart(f"PostgreSQL could not make its data folder: {done.stderr.strip()}")


def _options(server: Postgres, tuning: Mapping[str, str]) -> list[str]:
    fixed = {
        "listen_addresses": LOOPBACK,
        "port": str(server.port),
        "unix_socket_directories": "",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    return [
        part for name, value in {**tuning, **fixed}.items() for part in ("-c", f"{name}={value}")
    ]


def _is_ready(server: Postgres, piece: Piece) -> bool:
    status = server.folder / "postmaster.pid"
    lines = status.read_text().split() if status.exists() else []
    return bool(lines) and lines[0] == str(piece.pid) and lines[-1] == "ready"


def _ensure_database(server: Postgres, role_options: str) -> None:
    """Make the role and the database, in whichever of its steps an earlier start was cut off."""
    role, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        if not _exists(owner, "SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE):
            owner.execute(sql.SQL("CREATE ROLE {}").format(role))
        owner.execute(
            sql.SQL("ALTER ROLE {} LOGIN {} PASSWORD {}").format(
                role, sql.SQL(role_options), sql.Literal(server.password)
            )
        )
        if not _exists(owner, "SELECT 1 FROM pg_database WHERE datname = %s", DATABASE):
            owner.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))


def _exists(owner: psycopg.Connection, query: str, name: str) -> bool:
    return owner.execute(query, (name,)).fetchone() is not None


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line for line in reversed(lines) if "FATAL" in line or "could not" in line), "?")
