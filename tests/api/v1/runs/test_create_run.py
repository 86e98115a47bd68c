"""Writing a run down."""

from typing import Any
from uuid import uuid4

import pytest

from models.experiments import Experiment
from models.projects import Project
from models.runs import Source
from models.session import transaction
from tests.api.problems import problem
from tests.factories import HELLO, make_experiment, make_project
from tests.people import Person

SCRIPT = {"text": "print('hello')"}


def path_of(experiment: Experiment) -> str:
    return f"/experiments/{experiment.id}/runs"


def make_source(owner: Person, project_id: Any) -> Source:
    with transaction() as session:
        source = Source(
            project_id=project_id,
            name="code",
            kind="zip",
            size=1,
            sha256="0" * 64,
            files=[],
            created_by_id=owner.user_id,
        )
        session.add(source)
    return source


def test_a_run_begins_as_a_draft(bob: Person, experiment: Experiment) -> None:
    spec = {"script": SCRIPT, "parameters": {"lr": 0.1, "deep": True}, "time_limit_seconds": 60}
    answer = bob.post(path_of(experiment), {"name": "first", "spec": spec, "tags": {"a": "b"}})
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    run = answer.json
    assert (run["state"], run["desire"], run["origin"]) == ("draft", "run", "managed")
    assert run["spec"]["parameters"] == spec["parameters"]
    assert run["tags"] == {"a": "b"}
    assert bob.get(f"/runs/{run['id']}").json == run


def test_a_run_is_also_found_without_dashes(bob: Person, experiment: Experiment) -> None:
    run = bob.post(path_of(experiment), {"name": "first", "spec": HELLO}).json
    assert bob.get(f"/runs/{run['id'].replace('-', '')}").json["id"] == run["id"]


def test_a_viewer_cannot_write_a_run_down(victor: Person, experiment: Experiment) -> None:
    problem(victor.post(path_of(experiment), {"name": "r", "spec": HELLO}), 403, "forbidden")


def test_a_run_may_use_a_source_of_its_project(alice: Person, experiment: Experiment) -> None:
    source = make_source(alice, experiment.project_id)
    spec = {"source_id": str(source.id), "command": ["python", "train.py"]}
    answer = alice.post(path_of(experiment), {"name": "r", "spec": spec})
    assert answer.json["spec"]["source_id"] == str(source.id)


def test_a_source_of_another_project_is_unknown(
    alice: Person, charlie: Person, experiment: Experiment
) -> None:
    source = make_source(charlie, make_project(charlie, "letters").id)
    for source_id in (source.id, uuid4()):
        spec = {"source_id": str(source_id), "command": ["python"]}
        answer = alice.post(path_of(experiment), {"name": "r", "spec": spec})
        problem(answer, 422, "unknown_source", "/spec/source_id")


def test_an_unknown_queue_is_refused(bob: Person, experiment: Experiment) -> None:
    answer = bob.post(path_of(experiment), {"name": "r", "spec": HELLO, "queue": "gpu"})
    problem(answer, 422, "unknown_queue", "/queue")


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({}, "/spec/script"),
        ({"script": SCRIPT, "source_id": str(uuid4())}, "/spec/script"),
        ({"script": {"text": ""}}, "/spec/script/text"),
        ({"script": {"text": "x", "name": "../up.py"}}, "/spec/script/name"),
        ({"script": {"text": "x", "name": "a/b.py"}}, "/spec/script/name"),
        ({"script": "print()"}, "/spec/script"),
        ({"source_id": str(uuid4())}, "/spec/command"),
        ({"source_id": "no-uuid", "command": ["x"]}, "/spec/source_id"),
        ({"script": SCRIPT, "command": "python x"}, "/spec/command"),
        ({"script": SCRIPT, "command": [""]}, "/spec/command/0"),
        ({"script": SCRIPT, "command": ["a"] * 257}, "/spec/command"),
        ({"script": SCRIPT, "parameters": {"a b": 1}}, "/spec/parameters/a b"),
        ({"script": SCRIPT, "parameters": {"a": [1]}}, "/spec/parameters"),
        ({"script": SCRIPT, "parameters": {"a": None}}, "/spec/parameters"),
        ({"script": SCRIPT, "time_limit_seconds": 0}, "/spec/time_limit_seconds"),
        ({"script": SCRIPT, "time_limit_seconds": 10**18}, "/spec/time_limit_seconds"),
        ({"script": SCRIPT, "time_limit_seconds": "60"}, "/spec/time_limit_seconds"),
        ({"script": SCRIPT, "stop_grace_seconds": -1}, "/spec/stop_grace_seconds"),
        ({"script": SCRIPT, "requirements_file": "r.txt"}, "/spec/requirements_file"),
        ({"script": SCRIPT, "colour": "red"}, "/spec"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_spec_has_to_make_sense(
    bob: Person, experiment: Experiment, spec: dict[str, Any], pointer: str
) -> None:
    answer = bob.post(path_of(experiment), {"name": "r", "spec": spec})
    problem(answer, 422, "spec_refused", pointer)


@pytest.mark.parametrize("spec", [None, [], "print()", 7])
def test_a_spec_is_an_object(bob: Person, experiment: Experiment, spec: object) -> None:
    problem(bob.post(path_of(experiment), {"name": "r", "spec": spec}), 422, "invalid", "/spec")


def test_a_stranger_finds_no_experiment(charlie: Person, experiment: Experiment) -> None:
    problem(charlie.post(path_of(experiment), {"name": "r", "spec": HELLO}), 404, "not_found")


def test_an_experiment_of_a_stranger_is_not_found(
    alice: Person, charlie: Person, project: Project
) -> None:
    elsewhere = make_experiment(charlie, make_project(charlie, "letters"))
    problem(alice.post(path_of(elsewhere), {"name": "r", "spec": HELLO}), 404, "not_found")
