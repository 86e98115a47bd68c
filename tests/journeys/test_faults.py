"""Whatever is killed, and whenever: what was accepted is done, and done once.

Faults fall at moments that were seen, never after a sleep.
"""

import os
import signal
from collections.abc import Callable

import psutil
import pytest
import redis
import requests

from adapters.processes import find_process
from tests.journeys.bench import Bench
from tests.stack import LEASE_SECONDS, SLOTS, Stack, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

COUNTING = "import time\nfor n in range({count}): print(n, flush=True); time.sleep(.03)"
HANGING_ONCE = """
import os, time
if os.environ["RUNYARD_ATTEMPT"] == "1":
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
    print("up", flush=True)
    time.sleep(600)
print("again", flush=True)
"""
TICKING_ONCE = """
import os, time
while os.environ["RUNYARD_ATTEMPT"] == "1":
    print("tick", flush=True)
    time.sleep(.02)
print("again", flush=True)
"""
LOGGING = """
import mlflow, time
with mlflow.start_run():
    for step in range(40):
        mlflow.log_metric("loss", step, step=step)
        print("step", step, flush=True)
"""


@pytest.fixture
def original(bench: Bench) -> str:
    run_id = bench.start()
    bench.end_of(run_id)
    return run_id


def _clones(bench: Bench, original: str) -> int:
    ((count,),) = bench.stack.rows("select count(*) from runs where cloned_from_id = %s", original)
    return int(count)


def _settled_count(bench: Bench, intents: list[dict[str, str]]) -> int:
    ((count,),) = bench.stack.rows(
        "select count(*) from intents where ended_at is not null and id = any(%s)",
        [intent["id"] for intent in intents],
    )
    return int(count)


class TestWorkInHand:
    @pytest.mark.parametrize("victim", ["web", "worker", "dispatcher", "live", "launcher"])
    def test_every_clone_is_made_once_whoever_dies_among_them(
        self, bench: Bench, original: str, victim: str
    ) -> None:
        asked = []
        for number in range(24):
            asked.append(bench.ask(original, "clone"))
            if number in (8, 16):
                eventually(lambda: _settled_count(bench, asked) > 0)
                bench.stack.kill(victim)
        assert {bench.settled(intent)["state"] for intent in asked} == {"succeeded"}
        assert _clones(bench, original) == 24

    def test_every_export_is_written_once_though_the_worker_dies_at_it(
        self, bench: Bench, original: str
    ) -> None:
        asked = [bench.ask(original, "export") for _ in range(6)]
        for done in (1, 3):
            eventually(lambda done=done: _settled_count(bench, asked) >= done)
            bench.stack.kill("worker")
        assert {bench.settled(intent)["state"] for intent in asked} == {"succeeded"}
        exports = bench.get(f"/projects/{bench.project_id}/exports")["items"]
        assert len(exports) == 6

    @pytest.mark.parametrize("victim", ["worker", "dispatcher"])
    def test_every_run_succeeds_once_whoever_dies_as_it_begins(
        self, bench: Bench, victim: str
    ) -> None:
        runs = [bench.draft() for _ in range(SLOTS * 2)]
        starts = [bench.ask(run_id, "start") for run_id in runs]
        eventually(lambda: any(bench.run(run_id)["state"] != "queued" for run_id in runs))
        bench.stack.kill(victim)
        for run_id, start in zip(runs, starts, strict=True):
            assert bench.end_of(run_id)["state"] == "succeeded"
            assert bench.settled(start)["state"] == "succeeded"
            assert bench.outcomes(run_id).count("succeeded") == 1

    def test_the_timetable_is_kept_though_its_beat_dies(self, stack: Stack) -> None:
        kept = (
            "select count(*) from schedule_fires join outbox_messages on id = message_id"
            " where finished_at is not null"
        )
        eventually(lambda: stack.rows(kept)[0][0] >= 2)
        before = stack.rows("select schedule_id, planned_at from schedule_fires")
        stack.kill("beat")
        eventually(lambda: stack.is_alive("beat"))
        stack.rows("update schedules set next_at = now() - interval '1 minute' returning id")
        eventually(lambda: stack.rows(kept)[0][0] == len(before) + 2)


class TestRunningRuns:
    @pytest.mark.parametrize("victim", ["web", "worker", "dispatcher", "live", "launcher"])
    def test_a_run_does_not_notice_who_else_dies(self, bench: Bench, victim: str) -> None:
        run_id = bench.start(COUNTING.format(count=100))
        bench.says(run_id, "10")
        bench.stack.kill(victim)
        bench.stack.wait_until_up()
        assert bench.end_of(run_id)["state"] == "succeeded"
        assert bench.outcomes(run_id) == ["succeeded"]
        assert bench.log(run_id) == [str(number) for number in range(100)]

    def test_a_script_that_logs_lives_through_the_death_of_the_web(self, bench: Bench) -> None:
        run_id = bench.start(LOGGING, requirements=None)
        for step in (5, 20):
            bench.says(run_id, f"step {step}")
            bench.stack.kill("web")
        assert bench.end_of(run_id)["state"] == "succeeded"
        history = bench.get(f"/runs/{run_id}/metrics/history", key="loss")["items"]
        assert [point["step"] for point in history] == list(range(40))


class TestRunners:
    def test_a_killed_runner_is_missed_and_its_run_tried_again(self, bench: Bench) -> None:
        run_id = bench.start(HANGING_ONCE)
        bench.says(run_id, "up")
        os.kill(bench.runner(run_id), signal.SIGKILL)
        assert bench.end_of(run_id)["state"] == "succeeded"
        assert bench.outcomes(run_id) == ["lost", "succeeded"]
        assert bench.log(run_id)[-1] == "again"
        # Of the first attempt a detached child was left, which had to be found.
        eventually(lambda: bench.tree(run_id) == [])

    def test_what_a_lost_attempt_says_is_refused(self, bench: Bench) -> None:
        run_id = bench.start(TICKING_ONCE)
        bench.says(run_id, "tick")
        ((pid,),) = bench.stack.rows("select process_pid from attempts where run_id = %s", run_id)
        token = psutil.Process(pid).environ()["MLFLOW_TRACKING_TOKEN"]
        assert _log_metric(bench, run_id, token).ok
        os.kill(bench.runner(run_id), signal.SIGKILL)
        eventually(lambda: bench.outcomes(run_id)[0] == "lost")
        assert _log_metric(bench, run_id, token).status_code in (401, 409)

    def test_a_runner_that_wakes_too_late_writes_nothing_and_ends(self, bench: Bench) -> None:
        run_id = bench.start(TICKING_ONCE)
        bench.says(run_id, "tick")
        late = find_process(bench.runner(run_id))
        assert late
        late.signal(signal.SIGSTOP)
        assert bench.end_of(run_id)["state"] == "succeeded"
        before = bench.lines(run_id)
        late.signal(signal.SIGCONT)
        eventually(lambda: not late.is_alive)
        assert bench.tree(run_id) == []
        assert bench.lines(run_id) == before
        assert bench.outcomes(run_id) == ["lost", "succeeded"]

    def test_a_run_whose_runners_keep_dying_fails_in_the_end(self, bench: Bench) -> None:
        run_id = bench.start("import time\ntime.sleep(600)")
        for number in (1, 2, 3):
            eventually(lambda number=number: _is_carried(bench, run_id, number))
            os.kill(bench.runner(run_id), signal.SIGKILL)
        ended = bench.end_of(run_id)
        assert (ended["state"], ended["failure_class"]) == ("failed", "worker_lost")
        assert bench.outcomes(run_id) == ["lost"] * 3

    def test_runs_wait_for_a_launcher_that_is_away_without_a_frenzy(self, bench: Bench) -> None:
        with bench.stack.without("launcher"):
            runs = [bench.start() for _ in range(2)]
            for run_id in runs:
                eventually(lambda run_id=run_id: len(bench.attempts(run_id)) >= 2)
            assert sum(len(bench.attempts(run_id)) for run_id in runs) <= 6
        for run_id in runs:
            assert bench.end_of(run_id)["state"] == "succeeded"
            *before, last = bench.outcomes(run_id)
            assert (set(before), last) == ({"superseded"}, "succeeded")


class TestBroker:
    def test_a_backlog_that_the_broker_forgot_is_sent_again(
        self, bench: Bench, original: str
    ) -> None:
        with bench.stack.without("worker"):
            asked = [bench.ask(original, "clone") for _ in range(10)]
            eventually(lambda: _states(bench, asked) == {"dispatched"})
            with redis.Redis.from_url(bench.stack.engines.valkey.url) as broker:
                broker.flushall()
        assert {bench.settled(intent)["state"] for intent in asked} == {"succeeded"}
        assert _clones(bench, original) == 10

    def test_work_is_accepted_while_the_broker_hangs_and_done_afterwards(
        self, bench: Bench, original: str
    ) -> None:
        bench.stack.engines.signal("valkey", signal.SIGSTOP)
        try:
            asked = [bench.ask(original, "clone") for _ in range(5)]
            assert _states(bench, asked) == {"accepted"}
        finally:
            bench.stack.engines.signal("valkey", signal.SIGCONT)
        assert {bench.settled(intent)["state"] for intent in asked} == {"succeeded"}
        assert _clones(bench, original) == 5

    def test_without_a_broker_work_is_accepted_and_the_lost_are_missed(
        self, bench: Bench, original: str
    ) -> None:
        run_id = bench.start(TICKING_ONCE)
        bench.says(run_id, "tick")
        bench.stack.engines.end("valkey")
        try:
            asked = [bench.ask(original, "clone") for _ in range(5)]
            os.kill(bench.runner(run_id), signal.SIGKILL)
            bench.until(run_id, "queued", within=LEASE_SECONDS * 4)
        finally:
            bench.stack.engines.start("valkey")
        assert bench.end_of(run_id)["state"] == "succeeded"
        assert {bench.settled(intent)["state"] for intent in asked} == {"succeeded"}
        assert _clones(bench, original) == 5

    def test_a_running_run_does_not_notice_that_the_broker_is_away(self, bench: Bench) -> None:
        run_id = bench.start(COUNTING.format(count=60))
        bench.says(run_id, "5")
        _restart(bench.stack, "valkey", lambda: bench.says(run_id, "30"))
        assert bench.end_of(run_id)["state"] == "succeeded"
        assert bench.log(run_id) == [str(number) for number in range(60)]


class TestDatabase:
    def test_a_run_lives_through_a_restart_of_the_database(self, bench: Bench) -> None:
        run_id = bench.start(COUNTING.format(count=150))
        bench.says(run_id, "20")
        _restart(bench.stack, "postgres", lambda: None)
        assert bench.end_of(run_id)["state"] == "succeeded"
        assert bench.outcomes(run_id) == ["succeeded"]
        assert bench.log(run_id) == [str(number) for number in range(150)]

    def test_a_run_that_ends_while_the_database_is_away_loses_nothing(self, bench: Bench) -> None:
        run_id = bench.start(
            "import sys\nprint('ready', flush=True)\nsys.stdin.read()\n" + COUNTING.format(count=40)
        )
        bench.says(run_id, "ready")
        ((pid,),) = bench.stack.rows("select process_pid from attempts where run_id = %s", run_id)
        _restart(bench.stack, "postgres", lambda: eventually(lambda: not psutil.pid_exists(pid)))
        assert bench.end_of(run_id)["state"] == "succeeded"
        assert bench.outcomes(run_id) == ["succeeded"]
        assert bench.log(run_id) == ["ready", *map(str, range(40))]

    def test_what_was_accepted_before_a_restart_is_done_after_it(
        self, bench: Bench, original: str
    ) -> None:
        asked = [bench.ask(original, "clone") for _ in range(12)]
        eventually(lambda: _settled_count(bench, asked) > 0)
        _restart(bench.stack, "postgres", lambda: None)
        asked += [bench.ask(original, "clone") for _ in range(4)]
        assert {bench.settled(intent)["state"] for intent in asked} == {"succeeded"}
        assert _clones(bench, original) == 16


def _restart(stack: Stack, engine: str, meanwhile: Callable[[], object]) -> None:
    stack.engines.end(engine)
    try:
        meanwhile()
    finally:
        stack.engines.start(engine)


def _states(bench: Bench, intents: list[dict[str, str]]) -> set[str]:
    return {bench.get(f"/intents/{intent['id']}")["state"] for intent in intents}


def _is_carried(bench: Bench, run_id: str, number: int) -> bool:
    found = bench.stack.rows(
        "select 1 from attempts where run_id = %s and number = %s and state = 'running'",
        run_id,
        number,
    )
    return bool(found)


def _log_metric(bench: Bench, run_id: str, token: str) -> requests.Response:
    return requests.post(
        f"{bench.stack.url}/api/2.0/mlflow/runs/log-metric",
        json={
            "run_id": run_id.replace("-", ""),
            "key": "late",
            "value": 1.0,
            "timestamp": 1,
            "step": 1,
        },
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
