"""Projects: made, found, changed with their version, and taken out of sight."""

from uuid import uuid4

import pytest

from models.projects import Project
from models.runs import Run
from tests.api.problems import problem
from tests.factories import make_project, start
from tests.people import Person


def test_whoever_makes_a_project_owns_it(alice: Person) -> None:
    made = alice.post("/projects", {"name": "digits"})
    assert made.status_code == 201
    assert made.headers["ETag"] == '"1"'
    members = alice.get(f"/projects/{made.json['id']}/members").json["items"]
    assert [(member["email"], member["role"]) for member in members] == [(alice.email, "owner")]


def test_names_are_taken_once(alice: Person, bob: Person) -> None:
    alice.post("/projects", {"name": "digits"})
    problem(bob.post("/projects", {"name": "digits"}), 409, "name_taken", "/name")


def test_the_name_of_a_deleted_project_is_free_again(alice: Person) -> None:
    made = alice.post("/projects", {"name": "digits"}).json
    alice.delete(f"/projects/{made['id']}")
    assert alice.post("/projects", {"name": "digits"}).status_code == 201


def test_one_lists_the_projects_one_belongs_to(
    alice: Person, bob: Person, charlie: Person, ada: Person, project: Project
) -> None:
    make_project(charlie, "letters")
    names = {
        person.email: [item["name"] for item in person.get("/projects").json["items"]]
        for person in (alice, bob, charlie, ada)
    }
    assert names == {
        alice.email: ["digits"],
        bob.email: ["digits"],
        charlie.email: ["letters"],
        ada.email: ["letters", "digits"],
    }


def test_projects_are_found_by_a_part_of_their_name(alice: Person) -> None:
    for name in ("digits", "letters", "digital_twins"):
        make_project(alice, name)
    found = alice.get("/projects?name=DIGI&sort=name").json["items"]
    assert [item["name"] for item in found] == ["digital_twins", "digits"]
    assert len(alice.get("/projects?name=_").json["items"]) == 1


def test_a_change_gives_the_next_version(alice: Person, project: Project) -> None:
    path = f"/projects/{project.id}"
    etag = alice.get(path).headers["ETag"]
    changed = alice.patch(path, {"description": "new"}, headers={"If-Match": etag})
    assert changed.status_code == 200
    assert changed.json["description"] == "new"
    assert changed.json["name"] == "digits"
    assert changed.headers["ETag"] == '"2"'
    assert alice.get(path).json == changed.json


def test_a_change_of_something_read_too_long_ago_is_refused(
    alice: Person, project: Project
) -> None:
    path = f"/projects/{project.id}"
    alice.patch(path, {"description": "first"})
    late = alice.patch(path, {"description": "second"}, headers={"If-Match": '"1"'})
    problem(late, 412, "stale", "#/header/If-Match")
    assert alice.get(path).json["description"] == "first"


@pytest.mark.parametrize("etag", ['"7"', 'W/"1"', "1", "nonsense", '"'])
def test_an_odd_version_is_stale(alice: Person, project: Project, etag: str) -> None:
    answer = alice.patch(f"/projects/{project.id}", {"name": "x"}, headers={"If-Match": etag})
    assert answer.status_code in ((200, 412) if etag == "1" else (412,))


def test_a_change_has_to_say_which_version_it_changes(alice: Person, project: Project) -> None:
    answer = alice.call("PATCH", f"/projects/{project.id}", json={"name": "x"})
    problem(answer, 428, "precondition_required")


def test_a_change_cannot_take_a_name(alice: Person, project: Project) -> None:
    make_project(alice, "letters")
    answer = alice.patch(f"/projects/{project.id}", {"name": "letters"})
    problem(answer, 409, "name_taken", "/name")


def test_a_deleted_project_is_gone_with_all_in_it(
    alice: Person, bob: Person, ada: Person, run: Run
) -> None:
    project_path = f"/projects/{run.project_id}"
    assert alice.delete(project_path).status_code == 204
    paths = (
        project_path,
        f"{project_path}/runs",
        f"/experiments/{run.experiment_id}",
        f"/experiments/{run.experiment_id}/runs",
        f"/runs/{run.id}",
    )
    for person in (alice, bob, ada):
        for path in paths:
            problem(person.get(path), 404, "not_found")


def test_a_project_with_active_runs_is_not_deleted(alice: Person, run: Run) -> None:
    start(alice, run.id)
    problem(alice.delete(f"/projects/{run.project_id}"), 409, "project_in_use")


def test_a_stale_deletion_is_refused(alice: Person, project: Project) -> None:
    answer = alice.delete(f"/projects/{project.id}", headers={"If-Match": '"9"'})
    problem(answer, 412, "stale")


def test_a_stranger_finds_nothing(charlie: Person, project: Project) -> None:
    assert charlie.get(f"/projects/{project.id}").json["detail"] == (
        f"there is no project with id {project.id}"
    )
    unknown = uuid4()
    assert charlie.get(f"/projects/{unknown}").json["detail"] == (
        f"there is no project with id {unknown}"
    )
