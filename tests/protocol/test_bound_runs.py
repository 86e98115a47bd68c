"""A training script that knows nothing of Runyard, with the token of its attempt."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from domain.runs import attempts
from domain.runs.attempts import Ending
from models.metrics import MetricPoint
from models.runs import Outcome, Run, RunOrigin, RunState
from models.session import transaction
from tests.protocol.conftest import Bound, House

TRAINS = """
import mlflow
mlflow.set_experiment("whatever the tutorial says")
with mlflow.start_run(run_name="mine") as run:
    mlflow.log_param("lr", 0.1)
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("model", "model.txt")
print(run.info.run_id, run.info.experiment_id)
"""
NAMES_NO_EXPERIMENT = """
import mlflow
mlflow.log_metric("loss", 0.5)
print(mlflow.active_run().info.run_id)
"""
NESTS = """
import mlflow
with mlflow.start_run(run_name="outer") as outer:
    with mlflow.start_run(run_name="inner", nested=True) as inner:
        mlflow.log_metric("fold", 1)
        with mlflow.start_run(run_name="innermost", nested=True) as innermost:
            mlflow.log_metric("leaf", 1)
with mlflow.start_run(run_name="second") as second:
    mlflow.log_metric("again", 2)
found = mlflow.search_runs(output_format="list")
print(*(run.info.run_id for run in (outer, inner, innermost, second)), len(found))
"""
FAILS = """
import mlflow
with mlflow.start_run():
    raise SystemExit("no luck")
"""


def run_script(house: House, bound: Bound, script: str, folder: Path) -> list[str]:
    """Run a script as the runner would and return the words of its last line."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MLFLOW_TRACKING_URI": house.base,
        "MLFLOW_TRACKING_TOKEN": bound.token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 or "no luck" in done.stderr, done.stderr
    lines = [line for line in done.stdout.splitlines() if "://" not in line]
    return lines[-1].split() if lines else []


def test_a_script_that_names_another_experiment_logs_to_its_run(
    house: House, tmp_path: Path
) -> None:
    bound = house.begin_run()
    run_id, experiment = run_script(house, bound, TRAINS, tmp_path)
    assert (UUID(run_id), int(experiment)) == (bound.run_id, bound.experiment_number)
    run = house.stored(bound.run_id)
    assert run.state is RunState.RUNNING  # the runner decides when it is over
    assert (run.name, run.tags["mlflow.runName"]) == ("churn", "mine")
    assert run.params == {"lr": "0.1"}
    shown = house.alice.get("runs/get", run_id=run_id).json()["run"]
    assert shown["data"]["metrics"][0]["value"] == pytest.approx(1 / 3)
    assert shown["info"]["status"] == "RUNNING"
    files = house.alice.get("artifacts/list", run_id=run_id).json()["files"]
    assert files == [{"path": "model.txt", "is_dir": False, "file_size": 5}]
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 1


def test_a_script_that_names_no_experiment_logs_to_its_run(house: House, tmp_path: Path) -> None:
    bound = house.begin_run()
    assert UUID(run_script(house, bound, NAMES_NO_EXPERIMENT, tmp_path)[0]) == bound.run_id


def test_further_runs_become_children(house: House, tmp_path: Path) -> None:
    bound = house.begin_run()
    *runs, found = run_script(house, bound, NESTS, tmp_path)
    outer, inner, innermost, second = map(UUID, runs)
    assert (outer, found) == (bound.run_id, "4")
    children = [house.stored(run_id) for run_id in (inner, innermost, second)]
    assert {child.parent_id for child in children} == {bound.run_id}
    assert {child.origin for child in children} == {RunOrigin.RECORDED}
    assert {child.state for child in children} == {RunState.SUCCEEDED}
    assert children[1].tags["mlflow.parentRunId"] == inner.hex
    assert [child.name for child in children] == ["inner", "innermost", "second"]


def test_a_script_cannot_say_how_its_run_ended(house: House, tmp_path: Path) -> None:
    bound = house.begin_run()
    run_script(house, bound, FAILS, tmp_path)
    assert house.stored(bound.run_id).state is RunState.RUNNING


def test_the_next_attempt_finds_the_same_run(house: House, tmp_path: Path) -> None:
    bound = house.begin_run()
    run_script(house, bound, NAMES_NO_EXPERIMENT, tmp_path)
    with transaction() as session:
        attempt = session.get_one(attempts.Attempt, bound.attempt_id)
        session.get_one(Run, attempt.run_id)
        attempts.lose(session, attempts._with_run(session, attempt))
    with transaction() as session:
        begun = attempts.begin(session, session.get_one(Run, bound.run_id))
        assert begun is not None
    again = Bound(bound.run_id, begun.attempt.id, bound.experiment_number, begun.token)
    assert UUID(run_script(house, again, NAMES_NO_EXPERIMENT, tmp_path)[0]) == bound.run_id


def test_of_many_first_runs_at_once_one_is_the_run_itself(house: House) -> None:
    bound = house.begin_run()

    def open_one(number: int) -> str:
        body = {"experiment_id": "0", "start_time": 1_700_000_000_000 + number}
        answer = house.bound_caller(bound).post("runs/create", body)
        return str(answer.json()["run"]["info"]["run_id"])

    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(open_one, range(8)))
    assert len(set(opened)) == 8
    assert opened.count(bound.run_id.hex) == 1


def test_opening_sent_again_finds_the_run_again(house: House) -> None:
    bound = house.begin_run()
    caller = house.bound_caller(bound)
    body = {"experiment_id": "0", "start_time": 1_700_000_000_000, "run_name": "x"}
    for _ in range(2):
        answer = caller.post("runs/create", body).json()
        assert answer["run"]["info"]["run_id"] == bound.run_id.hex
    other = caller.post("runs/create", {**body, "start_time": 1_700_000_000_001}).json()
    assert other["run"]["info"]["run_id"] != bound.run_id.hex


def test_a_dead_attempt_writes_nothing(house: House) -> None:
    bound = house.begin_run()
    caller, run_id = house.bound_caller(bound), bound.run_id.hex
    assert caller.post("runs/create", {}).status_code == 200
    child = caller.post("runs/create", {"run_name": "child"}).json()["run"]["info"]["run_id"]
    with transaction() as session:
        attempts.settle(session, bound.attempt_id, Ending(Outcome.SUCCEEDED))
    metric = {"key": "loss", "value": 1, "timestamp": 1}
    calls = (
        ("runs/create", {}),
        ("runs/log-metric", {"run_id": run_id, **metric}),
        ("runs/log-metric", {"run_id": child, **metric}),
        ("runs/log-batch", {"run_id": run_id, "metrics": [metric]}),
        ("runs/set-tag", {"run_id": run_id, "key": "t", "value": "x"}),
        ("runs/update", {"run_id": child, "status": "FINISHED"}),
    )
    for endpoint, body in calls:
        refused = caller.post(endpoint, body)
        assert (refused.status_code, refused.json()["error_code"]) == (401, "UNAUTHENTICATED")
    put = caller.call(
        "PUT", f"/api/2.0/mlflow-artifacts/artifacts/1/{run_id}/artifacts/x", data=b"x"
    )
    assert put.status_code == 401
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(MetricPoint)) == 0


def test_a_script_reaches_nothing_but_its_own(house: House) -> None:
    bound = house.begin_run()
    caller = house.bound_caller(bound)
    other = house.alice.post("runs/create", {}).json()["run"]["info"]["run_id"]
    parent = [{"key": "mlflow.parentRunId", "value": other}]
    metric = {"key": "loss", "value": 1, "timestamp": 1}
    assert caller.get("runs/get", run_id=other).status_code == 404
    assert caller.post("runs/log-metric", {"run_id": other, **metric}).status_code == 404
    assert caller.post("runs/update", {"run_id": other, "status": "KILLED"}).status_code == 404
    assert caller.post("runs/create", {"tags": parent}).status_code == 404
    assert caller.get("metrics/get-history", run_id=other, metric_key="loss").status_code == 404
    assert caller.post("runs/delete", {"run_id": bound.run_id.hex}).status_code == 403


def test_any_experiment_is_its_own_under_the_name_asked_for(house: House) -> None:
    bound = house.begin_run()
    caller = house.bound_caller(bound)
    number = str(bound.experiment_number)
    named = caller.get("experiments/get-by-name", experiment_name="iris").json()["experiment"]
    assert (named["experiment_id"], named["name"]) == (number, "iris")
    assert named["lifecycle_stage"] == "active"
    assert caller.post("experiments/create", {"name": "new"}).json() == {"experiment_id": number}
    for asked in ("0", "12345", number):
        got = caller.get("experiments/get", experiment_id=asked).json()["experiment"]
        assert got["experiment_id"] == number
    tag = {"experiment_id": "0", "key": "a", "value": "b"}
    assert caller.post("experiments/set-experiment-tag", tag).status_code == 200
    shown = house.alice.get("experiments/get", experiment_id=number).json()["experiment"]
    assert "tags" not in shown or shown["tags"] == []


@pytest.mark.parametrize(
    ("state", "status"),
    [("queued", "SCHEDULED"), ("stopping", "RUNNING"), ("skipped", "KILLED")],
)
def test_states_are_shown_in_mlflows_words(house: House, state: str, status: str) -> None:
    bound = house.begin_run()
    with transaction() as session:
        session.get_one(Run, bound.run_id).state = RunState(state)
    run = house.alice.get("runs/get", run_id=bound.run_id.hex).json()["run"]
    assert run["info"]["status"] == status
    found = house.alice.post(
        "runs/search",
        {
            "experiment_ids": [str(bound.experiment_number)],
            "filter": f"attributes.status = '{status}'",
        },
    ).json()
    assert len(found["runs"]) == 1
