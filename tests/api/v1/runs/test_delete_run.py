"""Taking a run out of sight."""

from models.runs import Run
from tests.api.problems import problem
from tests.factories import start
from tests.people import Person


def test_a_deleted_run_is_gone(bob: Person, run: Run) -> None:
    assert bob.delete(f"/runs/{run.id}").status_code == 204
    problem(bob.get(f"/runs/{run.id}"), 404, "not_found")
    problem(bob.post(f"/runs/{run.id}/start"), 404, "not_found")
    problem(bob.delete(f"/runs/{run.id}"), 404, "not_found")
    assert bob.get(f"/projects/{run.project_id}/runs").json["items"] == []


def test_an_active_run_is_not_deleted(alice: Person, run: Run) -> None:
    start(alice, run.id)
    problem(alice.delete(f"/runs/{run.id}"), 409, "run_is_active")


def test_a_stopped_run_is_deleted(bob: Person, run: Run) -> None:
    bob.post(f"/runs/{run.id}/stop")
    assert bob.delete(f"/runs/{run.id}").status_code == 204


def test_a_stale_deletion_is_refused(bob: Person, run: Run) -> None:
    problem(bob.delete(f"/runs/{run.id}", headers={"If-Match": '"2"'}), 412, "stale")
    assert bob.delete(f"/runs/{run.id}", headers={"If-Match": '"1"'}).status_code == 204


def test_a_viewer_cannot_delete_a_run(victor: Person, run: Run) -> None:
    problem(victor.delete(f"/runs/{run.id}"), 403, "forbidden")
