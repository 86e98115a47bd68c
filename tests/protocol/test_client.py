"""MLflow's own client against our server: what people do every day."""

import math
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

from tests.protocol.conftest import House


def test_a_run_from_start_to_end(mlflow: Any) -> None:
    mlflow.set_experiment("churn")
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"depth": 3, "model": "forest"})
        mlflow.log_metric("loss", 0.5, step=1)
        mlflow.log_metrics({"loss": 0.25, "accuracy": 0.9}, step=2)
        mlflow.set_tag("stage", "try")
        mlflow.set_tags({"team": "blue", "stage": "final"})

    kept = mlflow.get_run(run.info.run_id)
    assert kept.info.status == "FINISHED"
    assert kept.info.run_name == "first"
    assert kept.info.end_time >= kept.info.start_time
    assert kept.data.params == {"lr": "0.1", "depth": "3", "model": "forest"}
    assert kept.data.metrics == {"loss": 0.25, "accuracy": 0.9}
    assert kept.data.tags["stage"] == "final"
    assert kept.data.tags["mlflow.runName"] == "first"


def test_an_exception_fails_the_run(mlflow: Any) -> None:
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as run:
        _ = 1 / 0
    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"


def test_without_an_experiment_runs_go_to_the_default_one(mlflow: Any) -> None:
    with mlflow.start_run() as first:
        pass
    with mlflow.start_run() as second:
        pass
    experiment = mlflow.get_experiment(first.info.experiment_id)
    assert experiment.name == "Default"
    assert second.info.experiment_id == first.info.experiment_id
    assert len(mlflow.search_runs(output_format="list", experiment_ids=["0"])) == 2


def test_set_experiment_finds_what_it_made(mlflow: Any) -> None:
    made = mlflow.set_experiment("again")
    assert mlflow.set_experiment("again").experiment_id == made.experiment_id
    assert mlflow.set_experiment(experiment_id=made.experiment_id).name == "again"


def test_experiments_can_be_searched_and_tagged(mlflow: Any) -> None:
    client = MlflowClient()
    for name in ("alpha-1", "alpha-2", "beta"):
        client.create_experiment(name, tags={"kind": name})
    client.set_experiment_tag(client.get_experiment_by_name("beta").experiment_id, "owner", "me")
    assert [e.name for e in client.search_experiments(filter_string="name LIKE 'alpha%'")] == [
        "alpha-2",
        "alpha-1",
    ]
    assert client.get_experiment_by_name("beta").tags == {"kind": "beta", "owner": "me"}
    first = client.search_experiments(max_results=2)
    rest = client.search_experiments(max_results=2, page_token=first.token)
    assert [e.name for e in [*first, *rest]] == ["beta", "alpha-2", "alpha-1"]
    assert not rest.token


def test_an_experiments_name_is_taken_once(mlflow: Any) -> None:
    mlflow.create_experiment("one")
    with pytest.raises(MlflowException) as refused:
        mlflow.create_experiment("one")
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_nested_runs_know_their_parent(mlflow: Any) -> None:
    with mlflow.start_run() as parent, mlflow.start_run(nested=True, run_name="child") as child:
        mlflow.log_metric("fold", 1)
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    found = mlflow.search_runs(
        [parent.info.experiment_id],
        filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
        output_format="list",
    )
    assert [run.info.run_name for run in found] == ["child"]


def test_a_run_can_be_taken_up_again(mlflow: Any) -> None:
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 1.0, step=0)
    with mlflow.start_run(run_id=run.info.run_id):
        assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("loss", 0.5, step=1)
    kept = mlflow.get_run(run.info.run_id)
    assert (kept.info.status, kept.data.metrics) == ("FINISHED", {"loss": 0.5})


def test_a_parameter_stays_what_it_is(mlflow: Any) -> None:
    with mlflow.start_run() as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_param("lr", 0.1)
        with pytest.raises(MlflowException, match=r"'lr' is '0\.1' already"):
            mlflow.log_param("lr", 0.2)
        with pytest.raises(MlflowException):
            MlflowClient().log_batch(
                run.info.run_id,
                metrics=[Metric("loss", 1.0, 1, 1)],
                params=[Param("new", "1"), Param("lr", "9")],
            )
    kept = mlflow.get_run(run.info.run_id).data
    assert (kept.params, kept.metrics) == ({"lr": "0.1"}, {})


def test_numbers_that_are_not_finite_come_back(mlflow: Any) -> None:
    with mlflow.start_run() as run:
        mlflow.log_metric("nan", math.nan, step=1)
        mlflow.log_metrics({"up": math.inf, "down": -math.inf})
    metrics = mlflow.get_run(run.info.run_id).data.metrics
    assert math.isnan(metrics["nan"])
    assert (metrics["up"], metrics["down"]) == (math.inf, -math.inf)
    history = MlflowClient().get_metric_history(run.info.run_id, "nan")
    assert [math.isnan(point.value) for point in history] == [True]


def test_a_history_comes_back_whole_and_once(mlflow: Any) -> None:
    client = MlflowClient()
    with mlflow.start_run() as run:
        points = [Metric("loss", 1 / (n + 1), 1_700_000_000_000 + n, n) for n in range(2500)]
        for _ in range(2):  # a client that heard no answer sends a batch again
            for first in range(0, len(points), 1000):
                client.log_batch(run.info.run_id, metrics=points[first : first + 1000])
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(p.step, p.timestamp, p.value) for p in history] == [
        (p.step, p.timestamp, p.value) for p in points
    ]
    assert client.get_run(run.info.run_id).data.metrics["loss"] == points[-1].value


def test_tags_can_be_deleted_and_rename_the_run(mlflow: Any) -> None:
    client = MlflowClient()
    with mlflow.start_run(run_name="before") as run:
        mlflow.set_tag("gone", "x")
        mlflow.delete_tag("gone")
        mlflow.set_tag("mlflow.runName", "after")
    kept = client.get_run(run.info.run_id)
    assert "gone" not in kept.data.tags
    assert kept.info.run_name == kept.data.tags["mlflow.runName"] == "after"
    client.update_run(run.info.run_id, name="at last")
    kept = client.get_run(run.info.run_id)
    assert kept.info.run_name == kept.data.tags["mlflow.runName"] == "at last"


def test_a_deleted_run_is_out_of_sight_until_restored(mlflow: Any) -> None:
    client = MlflowClient()
    with mlflow.start_run() as run:
        pass
    run_id, where = run.info.run_id, [run.info.experiment_id]
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert client.search_runs(where) == []
    assert len(client.search_runs(where, run_view_type=ViewType.DELETED_ONLY)) == 1
    with pytest.raises(MlflowException) as refused:
        client.log_metric(run_id, "loss", 1.0)
    assert refused.value.get_http_status_code() == 400
    client.restore_run(run_id)
    client.log_metric(run_id, "loss", 1.0)
    assert len(client.search_runs(where)) == 1


def test_batches_mix_all_three(mlflow: Any) -> None:
    client = MlflowClient()
    run = client.create_run("0")
    client.log_batch(
        run.info.run_id,
        metrics=[Metric("a", 1, 10, 0), Metric("b", 2, 10, 0), Metric("a", 3, 10, 1)],
        params=[Param("p", "x" * 7000)],
        tags=[RunTag("t", "y")],
    )
    kept = client.get_run(run.info.run_id).data
    assert kept.metrics == {"a": 3, "b": 2}
    assert len(kept.params["p"]) == 6000
    assert kept.tags["t"] == "y"


def test_artifacts_go_up_and_come_down(mlflow: Any, tmp_path: Path) -> None:
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "a b.txt").write_text("ä and ß")
    (tmp_path / "folder" / "deep" / "ü.bin").write_bytes(b"\0\1")
    (tmp_path / "folder" / "empty").touch()
    client = MlflowClient()
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/hello.txt")
        mlflow.log_dict({"a": 1}, "a.json")
        mlflow.log_artifacts(str(tmp_path / "folder"), "files")
    run_id = run.info.run_id
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/hello.txt") == "hello"
    listed = {(f.path, f.is_dir, f.file_size) for f in client.list_artifacts(run_id)}
    assert listed == {("a.json", False, 12), ("files", True, None), ("notes", True, None)}
    back = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="files"))
    assert (back / "a b.txt").read_text() == "ä and ß"
    assert (back / "deep" / "ü.bin").read_bytes() == b"\0\1"
    assert (back / "empty").read_bytes() == b""


def test_a_stranger_learns_nothing(house: House, mlflow: Any, monkeypatch: Any) -> None:
    mlflow.set_experiment("secret")
    with mlflow.start_run() as run:
        mlflow.log_text("x", "x.txt")
    stranger = house.charlie.act(monkeypatch)
    where, run_id = run.info.experiment_id, run.info.run_id
    attempts = (
        lambda: stranger.get_run(run_id),
        lambda: stranger.log_metric(run_id, "loss", 1.0),
        lambda: stranger.log_param(run_id, "p", 1),
        lambda: stranger.set_tag(run_id, "t", 1),
        lambda: stranger.get_metric_history(run_id, "loss"),
        lambda: stranger.set_terminated(run_id),
        lambda: stranger.delete_run(run_id),
        lambda: stranger.get_experiment(where),
        lambda: stranger.create_run(where),
    )
    for attempt in attempts:
        with pytest.raises(MlflowException) as refused:
            attempt()
        assert refused.value.get_http_status_code() == 404
    assert stranger.search_runs([where]) == []
    assert stranger.search_experiments() == []
    assert stranger.get_experiment_by_name("secret") is None


def test_a_viewer_reads_and_writes_nothing(house: House, mlflow: Any, monkeypatch: Any) -> None:
    mlflow.set_experiment("seen")
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 1.0)
    viewer = house.victor.act(monkeypatch)
    run_id = run.info.run_id
    assert viewer.get_run(run_id).data.metrics == {"loss": 1.0}
    attempts = (
        lambda: viewer.log_metric(run_id, "loss", 2.0),
        lambda: viewer.set_tag(run_id, "t", 1),
        lambda: viewer.set_terminated(run_id),
        lambda: viewer.delete_run(run_id),
        lambda: viewer.create_run(run.info.experiment_id),
        lambda: viewer.create_experiment("mine"),
    )
    for attempt in attempts:
        with pytest.raises(MlflowException) as refused:
            attempt()
        assert refused.value.get_http_status_code() == 403


def test_a_client_may_name_its_project(house: House) -> None:
    made = house.bob.call(
        "POST",
        "/api/2.0/mlflow/experiments/create",
        json={"name": "x"},
        headers={"X-MLFLOW-WORKSPACE": "churn"},
    )
    assert made.status_code == 200
    refused = house.bob.call(
        "POST",
        "/api/2.0/mlflow/experiments/create",
        json={"name": "x"},
        headers={"X-MLFLOW-WORKSPACE": "elsewhere"},
    )
    assert (refused.status_code, refused.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
