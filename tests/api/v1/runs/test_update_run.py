"""Changing a run, with its version."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.runs import Run
from tests.api.problems import problem
from tests.factories import HELLO, start
from tests.people import Person


def test_a_change_keeps_what_is_left_out(bob: Person, run: Run) -> None:
    changed = bob.patch(f"/runs/{run.id}", {"name": "renamed"})
    assert changed.status_code == 200
    assert changed.json["name"] == "renamed"
    assert changed.json["spec"]["script"]["text"] == HELLO["script"]["text"]
    assert changed.headers["ETag"] == '"2"'
    assert changed.json["updated_at"] > changed.json["created_at"]


def test_the_spec_of_a_draft_can_be_changed(bob: Person, run: Run) -> None:
    spec = {"script": {"text": "print(2)"}}
    changed = bob.patch(f"/runs/{run.id}", {"spec": spec}).json
    assert changed["spec"]["script"]["text"] == "print(2)"


def test_a_spec_that_makes_no_sense_changes_nothing(bob: Person, run: Run) -> None:
    problem(bob.patch(f"/runs/{run.id}", {"spec": {}, "name": "x"}), 422, "spec_refused")
    assert bob.get(f"/runs/{run.id}").json["name"] == run.name


def test_the_spec_of_a_started_run_is_history(alice: Person, run: Run) -> None:
    start(alice, run.id)
    problem(alice.patch(f"/runs/{run.id}", {"spec": HELLO}), 409, "run_cannot_move")
    assert alice.patch(f"/runs/{run.id}", {"name": "still"}).status_code == 200


def test_a_stale_change_is_refused(bob: Person, run: Run) -> None:
    etag = bob.get(f"/runs/{run.id}").headers["ETag"]
    bob.patch(f"/runs/{run.id}", {"name": "first"})
    late = bob.patch(f"/runs/{run.id}", {"name": "second"}, headers={"If-Match": etag})
    problem(late, 412, "stale", "#/header/If-Match")


def test_a_change_says_which_version_it_changes(bob: Person, run: Run) -> None:
    answer = bob.call("PATCH", f"/runs/{run.id}", json={"name": "x"})
    problem(answer, 428, "precondition_required")


def test_of_two_changes_of_one_version_one_is_made(bob: Person, run: Run) -> None:
    def change(name: str) -> int:
        headers = {"If-Match": '"1"'}
        return bob.patch(f"/runs/{run.id}", {"name": name}, headers=headers).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(change, ["one", "two"])) == [200, 412]


def test_a_viewer_cannot_change_a_run(victor: Person, run: Run) -> None:
    problem(victor.patch(f"/runs/{run.id}", {"name": "x"}), 403, "forbidden")


@pytest.mark.parametrize("field", ["state", "id", "desire", "project_id", "version", "queue"])
def test_what_is_not_a_clients_cannot_be_changed(bob: Person, run: Run, field: str) -> None:
    problem(bob.patch(f"/runs/{run.id}", {field: "succeeded"}), 422, "invalid", f"/{field}")
