"""Our experiments and runs as MLflow's wire shows them."""

from collections.abc import Sequence
from typing import Any

from api.mlflow.vocabulary import ACTIVE, DELETED, RUN_NAME, USER, status_of
from api.mlflow.wire import key_values
from domain.clock import milliseconds
from domain.runs.metrics import Point
from domain.runs.numbers import number_out
from models.experiments import Experiment
from models.runs import Run, RunOrigin

ARTIFACTS = "mlflow-artifacts:"


def experiment_out(experiment: Experiment, *, name: str | None = None) -> dict[str, Any]:
    """An experiment; under another name if the client asked for it by that one."""
    renamed = name is not None and name != experiment.name
    return {
        "experiment_id": str(experiment.number),
        "name": name if renamed else experiment.name,
        "artifact_location": f"{ARTIFACTS}/{experiment.number}",
        "lifecycle_stage": DELETED if experiment.deleted_at else ACTIVE,
        "creation_time": milliseconds(experiment.created_at),
        "last_update_time": milliseconds(experiment.updated_at),
        "tags": key_values(experiment.tags),
    }


def run_out(run: Run, latest: Sequence[Point] = ()) -> dict[str, Any]:
    """A run, whose experiment is loaded, with its latest metrics."""
    tags = {**run.tags, RUN_NAME: name_of(run)}
    data = {
        "metrics": [metric_out(point) for point in latest],
        "params": key_values(run.params),
        "tags": key_values(tags),
    }
    return {"info": run_info(run), "data": data, "inputs": {}, "outputs": {}}


def run_info(run: Run) -> dict[str, Any]:
    """The part of a run that its row alone tells; what is not known is left out."""
    run_id = run.id.hex
    known = {
        "run_id": run_id,
        "run_uuid": run_id,
        "run_name": name_of(run),
        "experiment_id": str(run.experiment.number),
        "user_id": str(run.tags.get(USER, "")),
        "status": status_of(run.state),
        "start_time": milliseconds(run.started_at or run.created_at),
        "end_time": milliseconds(run.ended_at),
        "artifact_uri": f"{ARTIFACTS}/{run.experiment.number}/{run_id}/artifacts",
        "lifecycle_stage": DELETED if run.deleted_at else ACTIVE,
    }
    return {name: value for name, value in known.items() if value is not None}


def name_of(run: Run) -> str:
    """What the script called its run; a run that people named keeps both names."""
    if run.origin is RunOrigin.RECORDED:
        return run.name
    return str(run.tags.get(RUN_NAME, run.name))


def metric_out(point: Point) -> dict[str, Any]:
    """A point of a metric."""
    return {
        "key": point.key,
        "value": number_out(point.value),
        "timestamp": point.logged_ms,
        "step": point.step,
    }
