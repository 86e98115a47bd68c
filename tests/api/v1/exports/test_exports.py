"""Portable bundles: asked for, listed, downloaded."""

import io
import json
import zipfile
from uuid import UUID

import pytest

from adapters.artifacts_local import LocalArtifacts
from domain.exports.bundle import write_bundle
from domain.exports.commands import record_export, stored_at
from models.exports import Export
from models.intents import Intent
from models.runs import Run
from models.session import transaction
from settings import settings
from tests.api.problems import problem
from tests.people import Person


@pytest.fixture
def export(victor: Person, run: Run) -> Export:
    """A bundle of the run, as the intent's job writes it."""
    answer = victor.post(f"/runs/{run.id}/export")
    assert answer.status_code == 202
    store = LocalArtifacts(settings().artifacts_path)
    with transaction() as session:
        intent = session.get_one(Intent, UUID(answer.json["id"]))
        target = store.local(stored_at(intent))
        target.parent.mkdir(parents=True)
        write_bundle(session, store, session.get_one(Run, run.id), target, lambda *_: None)
        return record_export(
            session,
            intent,
            run_id=run.id,
            name="run é.zip",
            size=target.stat().st_size,
            sha256="0" * 64,
        )


def test_the_intent_names_the_export(victor: Person, export: Export) -> None:
    intent = victor.get(f"/intents/{export.intent_id}").json
    assert intent["result"]["export_id"] == str(export.id)
    assert victor.get(f"/exports/{export.id}").json["size"] == export.size


def test_a_bundle_is_downloaded_as_a_file(victor: Person, export: Export) -> None:
    answer = victor.get(f"/exports/{export.id}/download")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as bundle:
        assert json.loads(bundle.read("manifest.json"))["run_id"] == str(export.run_id)


def test_a_broken_download_is_taken_up_again(victor: Person, export: Export) -> None:
    path = f"/exports/{export.id}/download"
    whole = victor.get(path).data
    rest = victor.get(path, headers={"Range": "bytes=10-"})
    assert rest.status_code == 206
    assert rest.data == whole[10:]
    beyond = victor.get(path, headers={"Range": f"bytes={len(whole)}-"})
    problem(beyond, 416)


def test_exports_are_listed_by_run(victor: Person, export: Export) -> None:
    path = f"/projects/{export.project_id}/exports"
    assert len(victor.get(path).json["items"]) == 1
    assert len(victor.get(f"{path}?run_id={export.run_id}").json["items"]) == 1
    assert victor.get(f"{path}?run_id={export.id}").json["items"] == []


def test_a_stranger_finds_no_export(charlie: Person, export: Export) -> None:
    problem(charlie.get(f"/exports/{export.id}"), 404, "not_found")
    problem(charlie.get(f"/exports/{export.id}/download"), 404, "not_found")


def test_a_bundle_that_is_gone_is_not_found(victor: Person, export: Export) -> None:
    LocalArtifacts(settings().artifacts_path).delete(export.path)
    problem(victor.get(f"/exports/{export.id}/download"), 404, "not_found")


def test_a_repeated_request_is_one_export(victor: Person, run: Run) -> None:
    headers = {"Idempotency-Key": "once"}
    answers = [victor.post(f"/runs/{run.id}/export", headers=headers) for _ in range(2)]
    assert answers[0].json["id"] == answers[1].json["id"]
