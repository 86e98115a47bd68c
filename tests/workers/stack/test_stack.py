"""`make run` from outside: what it says, what it leaves behind, what it survives."""

import os
import re
import signal
import time
import urllib.request

import psycopg
import pytest

from workers.stack import pieces
from workers.stack.environment import published
from workers.stack.folder import Folder
from workers.stack.pieces import Ledger

pytestmark = pytest.mark.slow


def published_by(toy):
    return published(Folder(toy.folder / "data").environment)


def piece(toy, name):
    return Ledger.read(Folder(toy.folder / "data").pieces).pieces.get(name)


def is_open(toy):
    url = f"http://127.0.0.1:{toy.environment['PORT_WEB']}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_says_where_everything_is_and_leaves_nothing_behind(toy, number):
    said = toy.start()

    assert f"http://127.0.0.1:{toy.environment['PORT_WEB']}/docs" in said
    assert "MLflow tracking" in said
    assert "first administrator" in said
    assert toy.end(number) == 0
    assert toy.processes() == []


def test_it_is_ready_within_ten_seconds(toy):
    began = time.monotonic()

    toy.start()

    assert time.monotonic() - began < 10


def test_no_secret_is_said_or_visible_among_processes(toy):
    said = toy.start()

    secrets = [
        value.split(":")[-1]
        for name, value in published_by(toy).items()
        if name in ("RUNYARD_SECRET_KEY", "FLOWER_BASIC_AUTH", "FLOWER_COOKIE_SECRET")
    ]
    told = said + "".join(str(process.cmdline()) for process in toy.processes())

    assert not [secret for secret in secrets if secret in told]


def test_a_second_one_in_the_same_folder_is_refused_in_one_sentence(toy):
    toy.start()

    said, _ = toy.open().communicate(timeout=30)

    assert re.fullmatch(
        r"Runyard cannot start: Runyard already runs here as process \d+; .*\n", said
    )
    assert is_open(toy)


def test_data_outlives_a_restart(toy):
    toy.start()
    with psycopg.connect(published_by(toy)["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    toy.end()

    toy.start()

    with psycopg.connect(published_by(toy)["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_what_a_killed_one_left_is_ended_and_its_data_used(toy):
    toy.start()
    with psycopg.connect(published_by(toy)["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    toy.process.kill()
    toy.process.communicate()

    said = toy.start()

    assert "ended what an earlier stack had left: postgres" in said
    with psycopg.connect(published_by(toy)["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    assert toy.end() == 0
    assert toy.processes() == []


@pytest.mark.parametrize("name", ["postgres", "valkey", "supervisord"])
def test_a_piece_that_dies_is_started_again(toy, name):
    toy.start()
    before = piece(toy, name)

    os.kill(before.pid, signal.SIGKILL)

    assert pieces.wait_until(lambda: piece(toy, name) not in (None, before), 15)
    assert pieces.wait_until(lambda: is_open(toy), 15)
    assert toy.end() == 0
    assert toy.processes() == []


def test_a_process_that_dies_is_started_again(toy):
    toy.start()
    web = next(p for p in toy.processes() if "http.server" in p.cmdline() and is_web(toy, p))

    web.kill()

    assert pieces.wait_until(lambda: not web.is_running() and is_open(toy), 15)


def is_web(toy, process):
    return toy.environment["PORT_WEB"] in process.cmdline()


def test_a_database_url_that_leads_nowhere_is_one_sentence(toy):
    toy.environment["DATABASE_URL"] = "postgresql://nobody:hidden@127.0.0.1:1/none"

    said = toy.start()

    assert "Runyard cannot start: DATABASE_URL leads to no database: " in said
    assert "Traceback" not in said
    assert "hidden" not in said
    assert toy.process.wait(timeout=30) == 1
    assert toy.processes() == []


def test_a_setting_that_makes_no_sense_is_one_sentence(toy):
    toy.environment["RUNYARD_SECRET_KEY"] = "short"

    said = toy.start()

    assert "Runyard cannot start: RUNYARD_SECRET_KEY is shorter" in said
    assert "Traceback" not in said


def test_a_taken_port_is_one_sentence(toy):
    toy.start()
    toy.environment["RUNYARD_DATA_DIR"] += "-2"

    said, _ = toy.open().communicate(timeout=30)

    assert said.splitlines()[-1].startswith(
        f"Runyard cannot start: port {toy.environment['PORT_WEB']} is taken"
    )
    assert "PORT_WEB=" in said
