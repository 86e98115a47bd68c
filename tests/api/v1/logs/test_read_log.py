"""Reading a run's log by line number."""

import pytest

from domain.runs.logs import append_lines
from models.runs import Run
from models.session import transaction
from tests.api.problems import problem
from tests.people import Person


@pytest.fixture
def run(run: Run) -> Run:
    """A run with 1,200 lines of log."""
    lines = [["stdout", 1_000 + number, f"line {number}"] for number in range(1, 1_201)]
    with transaction() as session:
        append_lines(session, run.id, 1, 1, lines)
    return run


def numbers(person: Person, run: Run, query: str = "") -> list[int]:
    items = person.get(f"/runs/{run.id}/log{query}").json["items"]
    return [line["number"] for line in items]


def test_lines_are_numbered_from_one(victor: Person, run: Run) -> None:
    (line,) = victor.get(f"/runs/{run.id}/log?limit=1").json["items"]
    assert line == {"number": 1, "stream": "stdout", "ms": 1_001, "text": "line 1"}


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [("", 1, 1_000), ("?after=0&limit=5000", 1, 1_200), ("?after=499&limit=2", 500, 501)],
)
def test_reading_goes_on_after_a_line(
    victor: Person, run: Run, query: str, first: int, last: int
) -> None:
    assert numbers(victor, run, query) == list(range(first, last + 1))


def test_nothing_follows_the_last_line(victor: Person, run: Run) -> None:
    assert numbers(victor, run, "?after=1200") == []


def test_a_stranger_reads_no_log(charlie: Person, run: Run) -> None:
    problem(charlie.get(f"/runs/{run.id}/log"), 404, "not_found")


def test_a_page_has_a_limit(victor: Person, run: Run) -> None:
    problem(victor.get(f"/runs/{run.id}/log?limit=5001"), 422, "invalid", "#/query/limit")
