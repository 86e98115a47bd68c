"""Reading news again."""

import pytest
from sqlalchemy import delete

from models.events import Event
from models.runs import Run
from models.session import transaction
from tests.api.problems import problem
from tests.people import Person


@pytest.fixture
def paths(alice: Person, run: Run) -> list[str]:
    """The run was written down, queued, and stopped."""
    alice.post(f"/runs/{run.id}/start")
    alice.post(f"/runs/{run.id}/stop")
    return [f"/runs/{run.id}/events", f"/projects/{run.project_id}/events"]


def test_numbers_have_no_gaps(victor: Person, paths: list[str]) -> None:
    for path in paths:
        page = victor.get(path).json
        assert [event["seq"] for event in page["items"]] == list(range(1, page["seq"] + 1))
        states = [event["data"]["state"] for event in page["items"] if event["type"] == "run"]
        assert states == ["draft", "queued", "stopped"]


def test_reading_goes_on_after_an_event(victor: Person, paths: list[str]) -> None:
    for path in paths:
        page = victor.get(f"{path}?after=2&limit=1").json
        assert [event["seq"] for event in page["items"]] == [3]
        last = page["seq"]
        assert victor.get(f"{path}?after={last}").json == {"items": [], "seq": last}


def test_one_is_told_when_events_are_no_longer_kept(victor: Person, paths: list[str]) -> None:
    with transaction() as session:
        session.execute(delete(Event).where(Event.seq <= 2))
    for path in paths:
        problem(victor.get(path), 409, "events_forgotten")
        assert victor.get(f"{path}?after=2").status_code == 200


def test_a_stranger_reads_no_events(charlie: Person, paths: list[str]) -> None:
    for path in paths:
        problem(charlie.get(path), 404, "not_found")
