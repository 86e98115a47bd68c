"""Kill anything, at a moment chosen by what is seen: nothing accepted is lost or done twice."""

import os
import signal
import threading
import time

import psutil
import psycopg
import pytest
import redis
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from models.exports import Export
from models.runs import Attempt, Outcome, Run
from models.session import engine, transaction
from settings import settings
from tests.processes.bench import Bench
from tests.processes.stack import LEASE_SECONDS, Stack, eventually

pytestmark = pytest.mark.slow

COUNTING = """
import time
for number in range({count}):
    print("line", number, flush=True)
    time.sleep(0.1)
"""
SLEEP = "import time\nprint('up', flush=True)\ntime.sleep(600)"


def _runner_of(run_id: str) -> int:
    with transaction() as session:
        pid = session.scalar(
            select(Attempt.runner_pid).where(Attempt.run_id == run_id, Attempt.outcome.is_(None))
        )
    assert pid
    return pid


def _process_of(run_id: str) -> int | None:
    with transaction() as session:
        return session.scalar(
            select(Attempt.process_pid).where(Attempt.run_id == run_id, Attempt.outcome.is_(None))
        )


@pytest.mark.parametrize("victim", ["web", "worker", "dispatcher", "launcher"])
def test_a_running_run_does_not_notice(bench: Bench, stack: Stack, victim: str) -> None:
    run_id = bench.start(COUNTING.format(count=30))
    bench.says(run_id, "line 3")
    stack.kill(victim)
    stack.revive()
    assert bench.end_of(run_id)["state"] == "succeeded"
    assert bench.log(run_id) == [f"line {number}" for number in range(30)]
    assert len(bench.attempts(run_id)) == 1


@pytest.mark.parametrize("victim", ["worker", "dispatcher", "launcher"])
def test_what_was_accepted_while_it_was_away_is_done(
    bench: Bench, stack: Stack, victim: str
) -> None:
    stack.kill(victim)
    runs = [bench.start() for _ in range(3)]
    stack.revive()
    for run_id in runs:
        assert bench.end_of(run_id)["state"] == "succeeded"
        outcomes = [attempt["outcome"] for attempt in bench.attempts(run_id)]
        assert outcomes.count("succeeded") == 1


def test_killing_workers_again_and_again_loses_and_doubles_nothing(
    bench: Bench, stack: Stack
) -> None:
    original = bench.start()
    bench.end_of(original)
    asked = [bench.ask(original, action) for action in ("clone", "export") for _ in range(5)]
    for victim in ("worker", "dispatcher", "worker"):
        stack.kill(victim)
        stack.revive()
    settled = [bench.settled(intent["id"], within=60) for intent in asked]
    assert {intent["state"] for intent in settled} == {"succeeded"}
    with transaction() as session:
        clones = session.scalar(select(func.count()).where(Run.cloned_from_id == original))
        exports = session.scalar(select(func.count()).select_from(Export))
    assert (clones, exports) == (5, 5)


def test_a_killed_runner_is_noticed_and_its_run_tried_again(bench: Bench) -> None:
    run_id = bench.start(SLEEP)
    bench.says(run_id, "up")
    process = _process_of(run_id)
    assert process
    os.kill(_runner_of(run_id), signal.SIGKILL)
    eventually(lambda: not psutil.pid_exists(process), within=15)
    eventually(lambda: len(bench.attempts(run_id)) == 2, within=LEASE_SECONDS + 20)
    bench.until(run_id, "running")
    assert [attempt["outcome"] for attempt in bench.attempts(run_id)] == ["lost", None]


def test_a_runner_that_sleeps_through_its_lease_writes_nothing_more(bench: Bench) -> None:
    run_id = bench.start(COUNTING.format(count=600))
    bench.says(run_id, "line 3")
    sleeper = _runner_of(run_id)
    os.kill(sleeper, signal.SIGSTOP)
    eventually(lambda: bench.attempts(run_id)[0]["outcome"] == "lost", within=LEASE_SECONDS + 15)
    os.kill(sleeper, signal.SIGCONT)
    eventually(lambda: not psutil.pid_exists(sleeper), within=20)
    with transaction() as session:
        first = session.scalars(
            select(Attempt).where(Attempt.run_id == run_id, Attempt.number == 1)
        ).one()
    assert first.outcome is Outcome.LOST


def test_a_broker_that_forgets_everything_delays_but_loses_nothing(
    bench: Bench, stack: Stack
) -> None:
    stack.kill("worker")
    runs = [bench.start() for _ in range(3)]
    with redis.Redis.from_url(settings().redis_url) as broker:
        eventually(lambda: broker.llen("cel:runs") == 3)
        broker.flushall()
    stack.revive()
    for run_id in runs:
        assert bench.end_of(run_id)["state"] == "succeeded"
        assert len(bench.attempts(run_id)) == 1


def _cut_connections() -> None:
    """What a restart of PostgreSQL is to everybody who is connected."""
    url = make_url(settings().database_url)
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and datname = current_database()"
            " and usename = current_user"
        )


def test_a_run_lives_through_the_loss_of_every_connection(bench: Bench, stack: Stack) -> None:
    run_id = bench.start(COUNTING.format(count=40))
    bench.says(run_id, "line 3")
    for _ in range(3):
        _cut_connections()
        time.sleep(0.5)
    engine().dispose()
    for name, process in list(stack.processes.items()):
        if process.poll() is not None:
            # Crash-only: it left to be started again, as its keeper would.
            stack.kill(name)
    stack.revive()
    assert bench.end_of(run_id)["state"] == "succeeded"
    assert bench.log(run_id) == [f"line {number}" for number in range(40)]


def test_two_starts_at_once_begin_one_attempt(bench: Bench) -> None:
    run_id = bench.draft()
    answers: list[int] = []

    def start() -> None:
        answers.append(bench.alice.post(f"/runs/{run_id}/start").status_code)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [202, 409]
    bench.end_of(run_id)
    assert len(bench.attempts(run_id)) == 1
