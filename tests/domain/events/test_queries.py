"""News can be read again in order, or is said to be gone."""

import pytest
from sqlalchemy import delete

from domain.errors import NotFound
from domain.events.queries import EventPage, EventsForgotten, run_events
from domain.news import announce
from models.events import Event
from models.runs import Run
from models.session import transaction
from tests.factories import make_experiment, make_project, make_run
from tests.people import Person


@pytest.fixture
def run(alice: Person) -> Run:
    """A run with ten events."""
    run = make_run(alice, make_experiment(alice, make_project(alice)))
    with transaction() as session:
        known = read(alice, run).seq
        for _ in range(10 - known):
            announce(session, [f"run:{run.id}"], "step")
    return run


def read(person: Person, run: Run, after: int = 0, limit: int = 500) -> EventPage:
    with transaction() as session:
        return run_events(session, person.actor, run.id, after=after, limit=limit)


def forget_until(seq: int) -> None:
    with transaction() as session:
        session.execute(delete(Event).where(Event.seq <= seq))


def test_pages_follow_one_another(alice: Person, run: Run) -> None:
    first = read(alice, run, limit=6)
    second = read(alice, run, after=6, limit=6)
    assert [event.seq for event in [*first.items, *second.items]] == list(range(1, 11))
    assert first.seq == second.seq == 10


def test_nothing_is_new(alice: Person, run: Run) -> None:
    assert read(alice, run, after=10).items == []


@pytest.mark.parametrize("after", [0, 4, 11])
def test_what_is_not_kept_is_not_passed_over(alice: Person, run: Run, after: int) -> None:
    forget_until(5)
    with pytest.raises(EventsForgotten):
        read(alice, run, after=after)


def test_what_is_kept_can_be_read(alice: Person, run: Run) -> None:
    forget_until(5)
    assert [event.seq for event in read(alice, run, after=5).items] == [6, 7, 8, 9, 10]


def test_when_all_is_forgotten_the_last_number_remains(alice: Person, run: Run) -> None:
    forget_until(10)
    assert read(alice, run, after=10).seq == 10
    with pytest.raises(EventsForgotten):
        read(alice, run, after=9)


def test_a_stranger_reads_no_events(charlie: Person, run: Run) -> None:
    with pytest.raises(NotFound):
        read(charlie, run)
