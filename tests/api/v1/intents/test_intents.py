"""Following what was asked."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from domain.runs import attempts
from models.runs import FailureClass, Outcome, Run
from models.session import transaction
from tests.api.problems import problem
from tests.factories import begin_attempt, make_run, note_running
from tests.people import Person


@pytest.fixture
def asked(alice: Person, run: Run) -> Iterator[dict[str, str]]:
    """The ids of what was asked, by action."""
    other = make_run(alice, _Experiment(run))
    return {
        "runs.start": alice.post(f"/runs/{run.id}/start").json["id"],
        "runs.export": alice.post(f"/runs/{run.id}/export").json["id"],
        "runs.stop": alice.post(f"/runs/{other.id}/stop").json["id"],
    }


class _Experiment:
    def __init__(self, run: Run) -> None:
        self.id, self.project_id = run.experiment_id, run.project_id


def test_a_member_follows_an_intent(victor: Person, run: Run, asked: dict[str, str]) -> None:
    intent = victor.get(f"/intents/{asked['runs.start']}").json
    assert (intent["action"], intent["subject_id"]) == ("runs.start", str(run.id))


def test_the_newest_intent_stands_first(victor: Person, run: Run, asked: dict[str, str]) -> None:
    listed = victor.get(f"/projects/{run.project_id}/intents").json["items"]
    assert [intent["id"] for intent in listed] == list(reversed(asked.values()))


@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("action=runs.start", ["runs.start"]),
        ("subject_id={run}", ["runs.export", "runs.start"]),
        ("state=cancelled", []),
        ("state=accepted&sort=id", ["runs.start", "runs.export", "runs.stop"]),
    ],
)
def test_intents_are_filtered(
    victor: Person, run: Run, asked: dict[str, str], query: str, actions: list[str]
) -> None:
    listed = victor.get(f"/projects/{run.project_id}/intents?{query.format(run=run.id)}").json
    assert [intent["action"] for intent in listed["items"]] == actions


def test_a_start_has_succeeded_once_the_process_runs(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    (intent,) = alice.get(f"/projects/{run.project_id}/intents").json["items"]
    assert (intent["percent"], intent["message"]) == (25, "preparing")
    note_running(begun)
    settled = alice.get(f"/intents/{intent['id']}").json
    assert (settled["state"], settled["percent"]) == ("succeeded", 100)
    assert settled["result"]["attempt"] == 1


def test_a_start_that_fails_says_why(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    ending = attempts.Ending(
        Outcome.FAILED, failure_class=FailureClass.RUNTIME_BUILD, detail="no such package"
    )
    with transaction() as session:
        attempts.settle(session, begun.attempt.id, ending)
    (intent,) = alice.get(f"/projects/{run.project_id}/intents").json["items"]
    assert intent["state"] == "failed"
    assert (intent["error_code"], intent["error_detail"]) == ("runtime_build", "no such package")


def test_a_stranger_finds_no_intent(charlie: Person, run: Run, asked: dict[str, str]) -> None:
    problem(charlie.get(f"/intents/{asked['runs.start']}"), 404, "not_found")
    problem(charlie.get(f"/projects/{run.project_id}/intents"), 404, "not_found")


def test_an_unknown_intent_is_not_found(alice: Person) -> None:
    problem(alice.get(f"/intents/{uuid4()}"), 404, "not_found")
