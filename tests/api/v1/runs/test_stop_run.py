"""Asking a run to stop."""

import pytest
from werkzeug.test import TestResponse

from models.runs import Run
from models.session import transaction
from tests.api.problems import problem
from tests.factories import begin_attempt, note_running
from tests.people import Person


def stop(person: Person, run: Run, **given: object) -> TestResponse:
    return person.post(f"/runs/{run.id}/stop", given)


def test_a_draft_stops_on_the_spot(bob: Person, run: Run) -> None:
    answer = stop(bob, run)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/intents/{answer.json['id']}"
    stopped = bob.get(f"/runs/{run.id}").json
    assert (stopped["state"], stopped["stop_reason"]) == ("stopped", "user")


def test_a_stop_before_the_process_began_cancels_the_start(bob: Person, run: Run) -> None:
    start = bob.post(f"/runs/{run.id}/start").json
    stop(bob, run)
    assert bob.get(f"/runs/{run.id}").json["state"] == "stopped"
    assert bob.get(f"/intents/{start['id']}").json["state"] == "cancelled"


def test_a_running_run_is_asked_to_stop(alice: Person, run: Run) -> None:
    note_running(begin_attempt(alice, run))
    assert stop(alice, run, grace_seconds=5).status_code == 202
    asked = alice.get(f"/runs/{run.id}").json
    assert (asked["state"], asked["desire"]) == ("stopping", "stop")


def test_a_second_stop_only_shortens_the_grace(alice: Person, run: Run) -> None:
    note_running(begin_attempt(alice, run))
    deadlines = []
    for grace in (60, 5, 600):
        assert stop(alice, run, grace_seconds=grace).status_code == 202
        with transaction() as session:
            deadlines.append(session.get_one(Run, run.id).stop_deadline)
    assert deadlines[0] > deadlines[1] == deadlines[2]


def test_a_run_that_is_over_cannot_be_stopped(bob: Person, run: Run) -> None:
    stop(bob, run)
    problem(stop(bob, run), 409, "run_is_over")


def test_a_viewer_cannot_stop_a_run(victor: Person, run: Run) -> None:
    problem(stop(victor, run), 403, "forbidden")


@pytest.mark.parametrize("grace", [-1, 3601, "soon", "NaN", "inf", [], {}, 1e300])
def test_an_odd_grace_is_refused(bob: Person, run: Run, grace: object) -> None:
    problem(stop(bob, run, grace_seconds=grace), 422, "invalid", "/grace_seconds")
    assert bob.get(f"/runs/{run.id}").json["state"] == "draft"


def test_a_stop_needs_no_body(bob: Person, run: Run) -> None:
    assert bob.call("POST", f"/runs/{run.id}/stop").status_code == 202
