"""MLflow's endpoints of artifacts: listing by run, and the proxy that carries files."""

from typing import Any, BinaryIO, cast

from flask import Response, current_app, request
from sqlalchemy.orm import Session

from api.downloads import send
from api.identity.actor import current_actor
from api.mlflow.artifact_paths import ArtifactPath, check_plain, parse
from api.mlflow.presenting import run_info
from api.mlflow.runs import given_run
from api.mlflow.wire import answer, fields, run_id_of
from api.ports import ports
from api.sealing import performs
from domain.errors import NotFound
from domain.ports import StoredFile
from domain.runs import artifacts, storing
from domain.runs.located import find_run_even_deleted
from models.runs import Run
from models.session import transaction
from settings import Settings


@performs(artifacts.list_artifacts)
def list_of_run() -> Response:
    given = fields()
    path = given.text("path", "")
    if path:
        check_plain(path)
    with transaction() as session:
        run = find_run_even_deleted(session, current_actor(), run_id_of(given_run(given)))
        entries = _entries(session, run, path)
    found: dict[str, Any] = {"root_uri": run_info(run)["artifact_uri"]}
    if entries:
        found["files"] = [_file(entry, entry.path) for entry in entries]
    return answer(found)


@performs(artifacts.list_artifacts)
def list_proxied() -> Response:
    wanted = parse(fields().text("path").rstrip("/"))
    with transaction() as session:
        entries = _entries(session, _run(session, wanted), wanted.rest)
    files = [_file(entry, entry.path.rpartition("/")[2]) for entry in entries]
    return answer({"files": files} if files else None)


@performs(storing.admit_artifact)
def upload(path: str) -> Response:
    wanted = _file_path(path)
    limit = _settings().artifact_bytes
    # Werkzeug refuses a stream that just fills its limit; the store knows the exact one.
    request.max_content_length = limit + 1
    with transaction() as session:
        place = storing.admit_artifact(
            session, current_actor(), _run(session, wanted), path=wanted.rest
        )
    ports().artifacts.put(place, cast(BinaryIO, request.stream), limit=limit)
    return answer()


@performs(artifacts.find_artifact)
def download(path: str) -> Response:
    wanted = _file_path(path)
    with transaction() as session:
        run = _run(session, wanted)
        place = artifacts.find_artifact(session, current_actor(), run.id, wanted.rest)
    return send(place)


@performs(storing.remove_artifact)
def delete(path: str) -> Response:
    wanted = parse(path)
    with transaction() as session:
        place = storing.remove_artifact(
            session, current_actor(), _run(session, wanted), path=wanted.rest
        )
    ports().artifacts.delete(place)
    return answer()


def _run(session: Session, wanted: ArtifactPath) -> Run:
    run = find_run_even_deleted(session, current_actor(), wanted.run_id)
    if run.experiment.number != wanted.experiment_number:
        raise NotFound(f"run {run.id.hex} is not of experiment {wanted.experiment_number}")
    return run


def _file_path(path: str) -> ArtifactPath:
    wanted = parse(path)
    if not wanted.rest:
        raise NotFound("this is a folder; name a file in it")
    return wanted


def _entries(session: Session, run: Run, path: str) -> list[StoredFile]:
    store = ports().artifacts
    return list(artifacts.list_artifacts(session, current_actor(), run.id, store, path=path))


def _file(entry: StoredFile, path: str) -> dict[str, Any]:
    file: dict[str, Any] = {"path": path, "is_dir": entry.is_directory}
    return file if entry.is_directory else {**file, "file_size": entry.size}


def _settings() -> Settings:
    settings: Settings = current_app.extensions["runyard_settings"]
    return settings
