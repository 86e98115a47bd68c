"""Asking for a copy of a run."""

from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from domain.runs.cloning import carry_out
from models.experiments import Experiment
from models.intents import Intent
from models.runs import Run
from models.session import transaction
from tests.api.problems import problem
from tests.factories import make_run
from tests.people import Person

SPEC = {"script": {"text": "print()"}, "parameters": {"lr": 0.1, "seed": 1}}


@pytest.fixture
def run(alice: Person, experiment: Experiment) -> Run:
    return make_run(alice, experiment, spec=SPEC)


def clone(person: Person, run: Run, **given: object) -> TestResponse:
    return person.post(f"/runs/{run.id}/clone", given)


def made_of(person: Person, intent: dict[str, Any]) -> dict[str, Any]:
    """The run that the intent's job writes down."""
    with transaction() as session:
        copy = carry_out(session, session.get_one(Intent, UUID(intent["id"])))
    made: dict[str, Any] = person.get(f"/runs/{copy.id}").json
    return made


def test_the_answer_lists_what_will_differ(bob: Person, run: Run) -> None:
    change = {"parameters": {"lr": 0.3, "seed": None, "depth": 2}, "time_limit_seconds": 60}
    answer = clone(bob, run, change=change)
    assert answer.status_code == 202
    assert answer.json["result"]["difference"] == [
        {"path": "/parameters/depth", "before": None, "after": 2},
        {"path": "/parameters/lr", "before": 0.1, "after": 0.3},
        {"path": "/parameters/seed", "before": 1, "after": None},
        {"path": "/time_limit_seconds", "before": None, "after": 60},
    ]


def test_an_unchanged_clone_differs_in_nothing(bob: Person, run: Run) -> None:
    assert clone(bob, run).json["result"]["difference"] == []


def test_the_copy_is_a_draft_with_the_changed_spec(bob: Person, run: Run) -> None:
    intent = clone(bob, run, change={"parameters": {"lr": 0.3}}, name="faster").json
    copy = made_of(bob, intent)
    assert (copy["name"], copy["state"]) == ("faster", "draft")
    assert copy["cloned_from_id"] == str(run.id)
    assert copy["spec"]["parameters"] == {"lr": 0.3, "seed": 1}
    settled = bob.get(f"/intents/{intent['id']}").json
    assert settled["state"] == "succeeded"
    assert settled["result"]["run_id"] == copy["id"]


def test_a_clone_may_start_at_once(bob: Person, run: Run) -> None:
    intent = clone(bob, run, start=True).json
    assert made_of(bob, intent)["state"] == "queued"
    assert "start_intent_id" in bob.get(f"/intents/{intent['id']}").json["result"]


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"lr": [1]}},
        {"parameters": None},
        {"script": None},
        {"colour": "red"},
        {"time_limit_seconds": -5},
        {"command": [""]},
    ],
    ids=str,
)
def test_a_change_that_makes_no_sense_is_refused(
    bob: Person, run: Run, change: dict[str, Any]
) -> None:
    problem(clone(bob, run, change=change), 422, "spec_refused")


def test_the_same_key_with_another_change_is_refused(bob: Person, run: Run) -> None:
    headers = {"Idempotency-Key": "k"}
    path = f"/runs/{run.id}/clone"
    first = bob.post(path, {"change": {"parameters": {"lr": 1}}}, headers=headers)
    again = bob.post(path, {"change": {"parameters": {"lr": 1}}}, headers=headers)
    assert first.json["id"] == again.json["id"]
    other = bob.post(path, {"change": {"parameters": {"lr": 2}}}, headers=headers)
    problem(other, 409, "idempotency_key_reused")


def test_a_viewer_cannot_clone_a_run(victor: Person, run: Run) -> None:
    problem(clone(victor, run), 403, "forbidden")
