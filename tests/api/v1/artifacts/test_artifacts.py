"""Files of runs: read by members, as attachments, and nothing beside them."""

import io

import pytest

from adapters.artifacts_local import LocalArtifacts
from domain.runs.artifacts import folder_of
from models.runs import Run
from settings import settings
from tests.api.problems import problem
from tests.people import Person

PAGE = b"<script>alert(1)</script>"


@pytest.fixture
def run(run: Run) -> Run:
    """A run with a file, a folder, and something secret near by."""
    store = LocalArtifacts(settings().artifacts_path)
    for path, content in {
        f"{folder_of(run)}/notes.html": PAGE,
        f"{folder_of(run)}/plots/loss curve é.png": b"png",
        f"projects/{run.project_id}/secret": b"secret",
        "secret": b"secret",
    }.items():
        store.put(path, io.BytesIO(content), limit=100)
    return run


def test_a_folder_is_listed_by_name(victor: Person, run: Run) -> None:
    listed = victor.get(f"/runs/{run.id}/artifacts").json["items"]
    assert listed == [
        {"path": "notes.html", "is_directory": False, "size": len(PAGE)},
        {"path": "plots", "is_directory": True, "size": 0},
    ]
    below = victor.get(f"/runs/{run.id}/artifacts?path=plots").json["items"]
    assert [entry["path"] for entry in below] == ["plots/loss curve é.png"]


def test_what_is_no_folder_lists_nothing(victor: Person, run: Run) -> None:
    for path in ("nothing", "notes.html", "plots/nothing"):
        assert victor.get(f"/runs/{run.id}/artifacts?path={path}").json == {"items": []}


def test_a_file_is_downloaded_and_never_rendered(victor: Person, run: Run) -> None:
    answer = victor.get(f"/runs/{run.id}/artifacts/notes.html")
    assert answer.data == PAGE
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_any_name_can_be_downloaded(victor: Person, run: Run) -> None:
    assert victor.get(f"/runs/{run.id}/artifacts/plots/loss curve é.png").data == b"png"


def test_a_part_of_a_file_can_be_downloaded(victor: Person, run: Run) -> None:
    answer = victor.get(f"/runs/{run.id}/artifacts/notes.html", headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.data) == (206, PAGE[:4])


@pytest.mark.parametrize("path", ["nothing", "plots", "plots/nothing", "notes.html/x", "a" * 300])
def test_what_is_no_file_is_not_found(victor: Person, run: Run, path: str) -> None:
    assert victor.get(f"/runs/{run.id}/artifacts/{path}").status_code in (404, 422)
    assert victor.get(f"/runs/{run.id}/artifacts?path={path}").status_code in (200, 422)


OUTSIDE = [
    "../secret",
    "../../../secret",
    "../../../../../secret",
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/secret",
    "%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret",
    "..%2f..%2f..%2f..%2f..%2fsecret",
    "%252e%252e%252fsecret",
    "..%5c..%5csecret",
    "..\\..\\secret",
    "plots/../../../../../../secret",
    "plots/%2e%2e/%2e%2e/secret",
    "./../secret",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "..%c0%af..%c0%afsecret",
    "%c0%ae%c0%ae/secret",
    "..%00/secret",
    "notes.html%00.png",
    "．．/secret",
    "C:%5cwindows",
    ".part-x",
    "~/x",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_run(victor: Person, run: Run, path: str) -> None:
    answer = victor.get(f"/runs/{run.id}/artifacts/{path}", follow_redirects=True)
    assert answer.status_code in (404, 422), answer.data
    assert b"secret" not in answer.data or answer.is_json
    listed = victor.get(f"/runs/{run.id}/artifacts?path={path}")
    assert listed.status_code == 422 or listed.json == {"items": []}


def test_a_stranger_finds_no_artifacts(charlie: Person, run: Run) -> None:
    problem(charlie.get(f"/runs/{run.id}/artifacts"), 404, "not_found")
    problem(charlie.get(f"/runs/{run.id}/artifacts/notes.html"), 404, "not_found")
