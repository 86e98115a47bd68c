"""Asking for a run to be started: accepted once, whatever happens at the same time."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from models.intents import Intent
from models.outbox import OutboxMessage
from models.runs import Run
from models.session import transaction
from tests.api.problems import problem
from tests.factories import make_experiment, make_project, make_run
from tests.people import Person


def start(person: Person, run: Run, key: str | None = None) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return person.post(f"/runs/{run.id}/start", headers=headers)


def filed() -> tuple[int, int]:
    """How many intents there are, and how many messages for the broker."""
    with transaction() as session:
        intents = session.scalar(select(func.count(Intent.id)))
        messages = session.scalar(select(func.count(OutboxMessage.id)))
    return intents or 0, messages or 0


def test_a_start_is_accepted_and_written_down(bob: Person, run: Run) -> None:
    answer = start(bob, run)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/intents/{answer.json['id']}"
    assert (answer.json["action"], answer.json["state"]) == ("runs.start", "accepted")
    assert answer.json["subject_id"] == str(run.id)
    assert bob.get(f"/runs/{run.id}").json["state"] == "queued"
    assert filed() == (1, 1)


def test_a_viewer_cannot_start_a_run(victor: Person, run: Run) -> None:
    problem(start(victor, run), 403, "forbidden")
    assert filed() == (0, 0)


def test_a_second_start_conflicts(bob: Person, run: Run) -> None:
    start(bob, run)
    problem(start(bob, run), 409, "run_cannot_move")
    assert filed() == (1, 1)


def test_of_two_starts_at_once_one_is_accepted(alice: Person, bob: Person, run: Run) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda person: start(person, run), [alice, bob] * 2))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409]
    assert filed() == (1, 1)


def test_a_repeat_with_the_same_key_gives_the_same_intent(bob: Person, run: Run) -> None:
    first, second = start(bob, run, "once"), start(bob, run, "once")
    assert first.status_code == second.status_code == 202
    assert first.json["id"] == second.json["id"]
    assert filed() == (1, 1)


def test_repeats_at_once_are_done_once(bob: Person, run: Run) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: start(bob, run, "once"), range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["id"] for answer in answers}) == 1


def test_a_key_is_not_reused_for_another_run(bob: Person, alice: Person, run: Run) -> None:
    other = make_run(alice, make_experiment(alice, make_project(alice, "o"), "o"))
    start(alice, run, "key")
    answer = start(alice, other, "key")
    problem(answer, 409, "idempotency_key_reused", "#/header/Idempotency-Key")
    assert alice.get(f"/runs/{other.id}").json["state"] == "draft"


def test_a_key_is_not_reused_for_another_action(bob: Person, run: Run) -> None:
    start(bob, run, "key")
    answer = bob.post(f"/runs/{run.id}/stop", headers={"Idempotency-Key": "key"})
    problem(answer, 409, "idempotency_key_reused")
    assert bob.get(f"/runs/{run.id}").json["state"] == "queued"


def test_keys_of_different_people_do_not_meet(alice: Person, bob: Person, run: Run) -> None:
    start(alice, run, "key")
    problem(start(bob, run, "key"), 409, "run_cannot_move")


def test_a_repeat_is_answered_after_the_run_is_over(bob: Person, run: Run) -> None:
    first = start(bob, run, "key")
    bob.post(f"/runs/{run.id}/stop")
    repeat = start(bob, run, "key")
    assert repeat.status_code == 202
    assert repeat.json["id"] == first.json["id"]
    assert repeat.json["state"] == "cancelled"


def test_a_key_is_of_modest_length(bob: Person, run: Run) -> None:
    problem(start(bob, run, "k" * 201), 422, "invalid", "#/header/Idempotency-Key")


def test_a_run_that_was_stopped_is_not_started_again(bob: Person, run: Run) -> None:
    bob.post(f"/runs/{run.id}/stop")
    problem(start(bob, run), 409, "run_cannot_move")
