"""Uploading training code: a good archive is listed, any other is refused and not kept."""

import io
import tarfile
import zipfile
from importlib import import_module
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from msgspec.structs import replace
from werkzeug.test import TestResponse

from models.experiments import Experiment
from models.projects import Project
from settings import settings
from tests.api.problems import problem
from tests.people import Person

FILES = {"train.py": b"print(1)", "lib/net.py": b"x = 1"}


def zipped(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


def tarred(*members: tarfile.TarInfo) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return written.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def upload(person: Person, project: Project, content: bytes, query: str = "") -> TestResponse:
    return person.call(
        "POST",
        f"/projects/{project.id}/sources{query}",
        data=content,
        content_type="application/octet-stream",
    )


def kept_files() -> list[Path]:
    return [path for path in settings().artifacts_path.rglob("*") if path.is_file()]


def test_an_archive_is_stored_and_listed(bob: Person, project: Project) -> None:
    answer = upload(bob, project, zipped(FILES), "?name=code.zip")
    assert answer.status_code == 201
    source = answer.json
    assert (source["name"], source["kind"]) == ("code.zip", "zip")
    assert {file["path"]: file["size"] for file in source["files"]} == {
        name: len(content) for name, content in FILES.items()
    }
    assert bob.get(f"/sources/{source['id']}").json == source
    assert [item["id"] for item in bob.get(f"/projects/{project.id}/sources").json["items"]] == [
        source["id"]
    ]
    assert [path.name for path in kept_files()] == [source["sha256"]]


def test_a_tarball_is_an_archive_too(bob: Person, project: Project) -> None:
    assert upload(bob, project, tarred(tarfile.TarInfo("train.py"))).json["kind"] == "tar.gz"


HOSTILE = {
    "parent": zipped({"../../etc/passwd": b"x"}),
    "absolute": zipped({"/etc/passwd": b"x"}),
    "backslash": zipped({"..\\..\\x": b"x"}),
    "bomb": zipped({"zeros": bytes(50 * 2**20)}),
    "twice": zipped({"a": b"1", "A": b"2"}),
    "symbolic link": tarred(link("train.py", "/etc/passwd")),
    "truncated": zipped(FILES)[:-30],
    "no archive": b"hello" * 100,
    "empty": b"",
    "empty zip": zipped({}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_and_not_kept(
    bob: Person, project: Project, kind: str
) -> None:
    problem(upload(bob, project, HOSTILE[kind]), 422, "hostile_archive")
    assert kept_files() == []
    assert bob.get(f"/projects/{project.id}/sources").json["items"] == []


def test_an_archive_beyond_the_limit_is_refused(
    bob: Person, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(settings(), upload_bytes=100)
    monkeypatch.setattr(import_module("api.v1.sources.routes"), "settings", lambda: small)
    problem(upload(bob, project, zipped(FILES)), 413)
    assert kept_files() == []


def test_an_archive_may_be_larger_than_a_json_body(bob: Person, project: Project) -> None:
    large = zipped({"data.bin": Random(1).randbytes(5 * 2**20)})
    assert upload(bob, project, large).status_code == 201


def test_a_viewer_uploads_nothing(victor: Person, project: Project) -> None:
    problem(upload(victor, project, zipped(FILES)), 403, "forbidden")


def test_a_stranger_uploads_and_reads_nothing(
    bob: Person, charlie: Person, project: Project
) -> None:
    problem(upload(charlie, project, zipped(FILES)), 404, "not_found")
    source = upload(bob, project, zipped(FILES)).json
    problem(charlie.get(f"/sources/{source['id']}"), 404, "not_found")
    problem(charlie.delete(f"/sources/{source['id']}"), 404, "not_found")


def test_an_unused_source_is_deleted(alice: Person, project: Project) -> None:
    source = upload(alice, project, zipped(FILES)).json
    assert alice.delete(f"/sources/{source['id']}").status_code == 204
    problem(alice.get(f"/sources/{source['id']}"), 404, "not_found")


def test_a_source_stays_while_a_run_uses_it(alice: Person, experiment: Experiment) -> None:
    project_path = f"/projects/{experiment.project_id}/sources"
    source = alice.call("POST", project_path, data=zipped(FILES)).json
    spec = {"source_id": source["id"], "command": ["python", "train.py"]}
    alice.post(f"/experiments/{experiment.id}/runs", {"name": "r", "spec": spec})
    problem(alice.delete(f"/sources/{source['id']}"), 409, "source_in_use")


def test_an_unknown_source_is_not_found(alice: Person) -> None:
    problem(alice.get(f"/sources/{uuid4()}"), 404, "not_found")
