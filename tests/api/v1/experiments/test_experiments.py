"""Experiments of a project."""

import pytest

from models.experiments import Experiment
from models.projects import Project
from models.runs import Run
from tests.api.problems import problem
from tests.factories import make_experiment, make_project, make_run, start
from tests.people import Person


def test_an_editor_makes_an_experiment(bob: Person, project: Project) -> None:
    given = {"name": "rates", "description": "which?", "tags": {"team": "vision"}}
    answer = bob.post(f"/projects/{project.id}/experiments", given)
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    assert {name: answer.json[name] for name in given} == given
    assert bob.get(f"/experiments/{answer.json['id']}").json == answer.json


def test_a_project_has_one_experiment_of_a_name(bob: Person, project: Project) -> None:
    path = f"/projects/{project.id}/experiments"
    bob.post(path, {"name": "rates"})
    problem(bob.post(path, {"name": "rates"}), 409, "name_taken", "/name")


def test_another_project_may_have_one_of_the_same_name(
    alice: Person, experiment: Experiment
) -> None:
    make_experiment(alice, make_project(alice, "letters"), experiment.name)


def test_a_project_lists_its_own_experiments(alice: Person, project: Project) -> None:
    make_experiment(alice, make_project(alice, "letters"), "other")
    make_experiment(alice, project, "rates")
    listed = alice.get(f"/projects/{project.id}/experiments").json["items"]
    assert [item["name"] for item in listed] == ["rates"]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["a", "b", "c"]),
        ("-name", ["c", "b", "a"]),
        ("created_at", ["b", "c", "a"]),
        ("-updated_at", ["a", "c", "b"]),
        ("id", ["b", "c", "a"]),
    ],
)
def test_experiments_are_sorted(
    alice: Person, project: Project, sort: str, names: list[str]
) -> None:
    for name in ("b", "c", "a"):
        make_experiment(alice, project, name)
    found, cursor = [], ""
    while cursor is not None:
        page = alice.get(f"/projects/{project.id}/experiments?limit=1&sort={sort}{cursor}").json
        found += [item["name"] for item in page["items"]]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert found == names


def test_a_change_keeps_what_is_left_out(bob: Person, experiment: Experiment) -> None:
    changed = bob.patch(f"/experiments/{experiment.id}", {"tags": {"a": "b"}})
    assert changed.status_code == 200
    assert changed.json["name"] == experiment.name
    assert changed.json["tags"] == {"a": "b"}
    assert changed.json["version"] == 2


def test_a_stale_change_is_refused(bob: Person, experiment: Experiment) -> None:
    path = f"/experiments/{experiment.id}"
    problem(bob.patch(path, {"name": "x"}, headers={"If-Match": '"4"'}), 412, "stale")
    problem(bob.call("PATCH", path, json={"name": "x"}), 428, "precondition_required")


def test_a_change_cannot_take_a_name(alice: Person, experiment: Experiment) -> None:
    with_other_name = alice.post(
        f"/projects/{experiment.project_id}/experiments", {"name": "other"}
    ).json
    answer = alice.patch(f"/experiments/{with_other_name['id']}", {"name": experiment.name})
    problem(answer, 409, "name_taken", "/name")


def test_a_deleted_experiment_is_gone_with_its_runs(alice: Person, run: Run) -> None:
    assert alice.delete(f"/experiments/{run.experiment_id}").status_code == 204
    problem(alice.get(f"/experiments/{run.experiment_id}"), 404, "not_found")
    problem(alice.get(f"/runs/{run.id}"), 404, "not_found")
    assert alice.get(f"/projects/{run.project_id}/runs").json["items"] == []


def test_an_experiment_with_active_runs_is_not_deleted(alice: Person, run: Run) -> None:
    start(alice, run.id)
    problem(alice.delete(f"/experiments/{run.experiment_id}"), 409, "experiment_in_use")


def test_an_editor_does_not_delete_an_experiment(bob: Person, experiment: Experiment) -> None:
    problem(bob.delete(f"/experiments/{experiment.id}"), 403, "forbidden")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", None),
        ("tags", {"k": 1}),
        ("tags", {"": "v"}),
        ("tags", {"k": "v" * 8001}),
        ("tags", ["a"]),
        ("description", 7),
        ("colour", "red"),
    ],
)
def test_an_experiment_has_to_make_sense(
    bob: Person, project: Project, field: str, value: object
) -> None:
    answer = bob.post(f"/projects/{project.id}/experiments", {"name": "rates", field: value})
    pointers = [fault["pointer"] for fault in problem(answer, 422, "invalid")["errors"]]
    assert all(pointer.startswith(f"/{field}") for pointer in pointers)


def test_runs_of_an_experiment_are_its_own(alice: Person, project: Project) -> None:
    first, second = (make_experiment(alice, project, name) for name in ("a", "b"))
    make_run(alice, first, "one")
    make_run(alice, second, "two")
    listed = alice.get(f"/experiments/{first.id}/runs").json["items"]
    assert [item["name"] for item in listed] == ["one"]
