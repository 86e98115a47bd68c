"""The embedded engines, for real: kept data, closed doors, and a private installation."""

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from workers.stack import engines, pieces
from workers.stack.account import server_account
from workers.stack.embedded import embedded_postgres, embedded_valkey
from workers.stack.folder import prepare
from workers.stack.pieces import Ledger
from workers.stack.ports import free_port
from workers.stack.postgres import start_postgres
from workers.stack.refusal import CannotStart
from workers.stack.secret_file import Secrets
from workers.stack.valkey import start_valkey

pytestmark = pytest.mark.slow


@pytest.fixture
def folder():
    path = Path(tempfile.mkdtemp(prefix="runyard-engines-", dir="/tmp"))
    path.chmod(0o711)
    yield prepare({"RUNYARD_DATA_DIR": str(path)})
    shutil.rmtree(path)


@pytest.fixture
def ledger(folder):
    ledger = Ledger(folder.pieces)
    yield ledger
    ledger.end_all(within=10)


@pytest.fixture
def postgres(folder, ledger):
    server = embedded_postgres(folder, Secrets(), {"PORT_POSTGRES": str(free_port())})
    start_postgres(server, ledger, log=folder.log("postgres"))
    return server


@pytest.fixture
def valkey(folder, ledger):
    server = embedded_valkey(folder, Secrets(), {"PORT_VALKEY": str(free_port())})
    start_valkey(server, ledger, log=folder.log("valkey"))
    return server


def ask(url, query):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchone()[0]


def listening(piece):
    return {
        connection.laddr.ip
        for connection in psutil.Process(piece.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }


def test_postgres_keeps_its_data_and_its_promise_of_durability(folder, ledger, postgres):
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    ledger.end("postgres", within=10)
    start_postgres(postgres, ledger, log=folder.log("postgres"))

    assert ask(postgres.url, "SELECT number FROM kept") == 7
    assert ask(postgres.url, "SHOW fsync") == ask(postgres.url, "SHOW synchronous_commit") == "on"


def test_postgres_comes_back_after_a_kill(folder, ledger, postgres):
    piece = ledger.pieces["postgres"]
    os.kill(piece.pid, 9)
    pieces.wait_until(lambda: not pieces.is_alive(piece), 5)

    start_postgres(postgres, ledger, log=folder.log("postgres"))

    assert ask(postgres.url, "SELECT 1") == 1


def test_postgres_asks_for_the_password(postgres):
    stranger = replace(postgres, password="guessed")

    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(stranger.url)


def test_the_application_does_not_own_the_server(postgres):
    assert ask(postgres.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_a_taken_port_is_said_in_one_sentence(folder, postgres):
    other = replace(postgres, folder=folder.path / "other")
    ledger = Ledger(folder.path / "other.json")

    with pytest.raises(CannotStart, match="PostgreSQL did not start: "):
        start_postgres(other, ledger, log=folder.log("other"))

    assert not ledger.pieces


def test_valkey_keeps_its_data(folder, ledger, valkey):
    with redis.Redis.from_url(valkey.url) as client:
        client.set("kept", 7)

    ledger.end("valkey", within=10)
    start_valkey(valkey, ledger, log=folder.log("valkey"))

    with redis.Redis.from_url(valkey.url) as client:
        assert client.get("kept") == b"7"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_valkey_asks_for_the_password(valkey):
    stranger = replace(valkey, password="guessed")

    with redis.Redis.from_url(stranger.url) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_nothing_listens_beyond_this_machine(ledger, postgres, valkey):
    for piece in ledger.pieces.values():
        assert listening(piece) == {"127.0.0.1"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run under another account")
def test_the_servers_do_not_run_as_root(ledger, postgres, valkey):
    for piece in ledger.pieces.values():
        assert psutil.Process(piece.pid).uids().effective == server_account().uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers run under another account")
def test_programs_in_a_private_installation_are_copied_to_where_they_can_run(folder, monkeypatch):
    monkeypatch.setattr(engines, "is_traversable", lambda path: False)
    account = server_account()

    first = engines.valkey_program(account, folder.engines)

    assert first.is_relative_to(folder.engines)
    assert first.stat().st_mode & 0o005 == 0o005
    assert engines.valkey_program(account, folder.engines) == first
