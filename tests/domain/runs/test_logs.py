"""Lines of log: numbered, kept once, read from anywhere."""

import pytest

from domain.errors import NotFound
from domain.runs import logs
from models.runs import Run
from models.session import transaction
from tests.factories import make_experiment, make_project, make_run
from tests.people import Person


@pytest.fixture
def run(alice: Person) -> Run:
    return make_run(alice, make_experiment(alice, make_project(alice)))


def append(run: Run, first: int, *texts: str) -> None:
    with transaction() as session:
        logs.append_lines(session, run.id, 1, first, [["stdout", 5, text] for text in texts])


def read(person: Person, run: Run, after: int = 0, limit: int = 10_000) -> list[tuple[int, str]]:
    with transaction() as session:
        found = logs.read_log(session, person.actor, run.id, after=after, limit=limit)
    return [(line.number, line.text) for line in found]


def test_a_run_without_a_log(alice: Person, run: Run) -> None:
    assert read(alice, run) == []
    with transaction() as session:
        assert logs.last_line(session, run.id) == 0


def test_reading_begins_anywhere_and_stops_at_the_limit(alice: Person, run: Run) -> None:
    append(run, 1, *(str(n) for n in range(1, 2_301)))
    assert read(alice, run, after=0, limit=1) == [(1, "1")]
    assert read(alice, run, after=499, limit=3) == [(500, "500"), (501, "501"), (502, "502")]
    assert read(alice, run, after=2_298) == [(2_299, "2299"), (2_300, "2300")]
    assert read(alice, run, after=2_300) == []
    assert [number for number, _ in read(alice, run)] == list(range(1, 2_301))


def test_appending_again_changes_nothing(alice: Person, run: Run) -> None:
    append(run, 1, "one", "two")
    append(run, 1, "one", "two", "three")
    append(run, 2, "two", "three")
    assert read(alice, run) == [(1, "one"), (2, "two"), (3, "three")]


def test_dropped_lines_leave_a_gap(alice: Person, run: Run) -> None:
    append(run, 1, "one")
    append(run, 900, "nine hundred")
    assert read(alice, run) == [(1, "one"), (900, "nine hundred")]
    assert read(alice, run, after=1) == read(alice, run, after=450) == [(900, "nine hundred")]


def test_a_stranger_reads_no_log(charlie: Person, run: Run) -> None:
    append(run, 1, "secret")
    with pytest.raises(NotFound):
        read(charlie, run)
