"""News is numbered without gaps, whoever speaks at the same time, and heard only once committed."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from domain.news import announce
from models.events import Event, Topic
from models.session import transaction

pytestmark = pytest.mark.usefixtures("database")
WRITERS, ROUNDS = 8, 25


def numbers(topic: str) -> list[int]:
    with transaction() as session:
        return list(
            session.scalars(select(Event.seq).where(Event.topic == topic).order_by(Event.seq))
        )


def kinds(topic: str) -> list[str]:
    with transaction() as session:
        return list(
            session.scalars(select(Event.type).where(Event.topic == topic).order_by(Event.seq))
        )


def test_eight_writers_on_one_project_leave_no_gap() -> None:
    start = Barrier(WRITERS)

    def write(writer: int) -> None:
        start.wait()
        for number in range(ROUNDS):
            with transaction() as session:
                announce(session, ("project:p", f"run:{writer}"), "moved", number=number)

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, range(WRITERS)))
    assert numbers("project:p") == list(range(1, WRITERS * ROUNDS + 1))
    for writer in range(WRITERS):
        assert numbers(f"run:{writer}") == list(range(1, ROUNDS + 1))


def test_topics_named_in_any_order_never_wait_for_one_another() -> None:
    """Each transaction speaks about ten topics in an order of its own."""
    topics = [f"run:{number}" for number in range(10)]
    start = Barrier(WRITERS)

    def write(writer: int) -> None:
        start.wait()
        for _ in range(ROUNDS):
            with transaction() as session:
                turned = topics[writer:] + topics[:writer]
                for topic in turned if writer % 2 else reversed(turned):
                    announce(session, (topic,), "moved")

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(write, range(WRITERS)))
    for topic in topics:
        assert numbers(topic) == list(range(1, WRITERS * ROUNDS + 1))


def test_what_is_rolled_back_is_never_heard_and_leaves_no_hole() -> None:
    with transaction() as session:
        announce(session, ("project:p",), "first")
    with transaction() as session:
        announce(session, ("project:p",), "never")
        session.flush()
        session.rollback()
    with transaction() as session:
        announce(session, ("project:p",), "second")
    assert kinds("project:p") == ["first", "second"]
    assert numbers("project:p") == [1, 2]


def test_a_commit_that_fails_leaves_no_hole() -> None:
    with transaction() as session:
        session.execute(text("create table doubted (id int unique deferrable initially deferred)"))
    doubtful = transaction()
    session = doubtful.__enter__()
    session.execute(text("insert into doubted values (1), (1)"))
    announce(session, ("project:p",), "never")
    with pytest.raises(IntegrityError):
        doubtful.__exit__(None, None, None)
    with transaction() as session:
        session.execute(text("drop table doubted"))
        announce(session, ("project:p",), "first")
    assert numbers("project:p") == [1]


def test_a_topic_is_numbered_last_even_if_parts_are_written_before() -> None:
    """A savepoint in between holds no topic that others wait for."""
    with transaction() as session:
        announce(session, ("project:p",), "first")
        with session.begin_nested():
            session.execute(text("select 1"))
        assert session.get(Topic, "project:p") is None
        with transaction() as other:
            announce(other, ("project:p",), "meanwhile")
    assert kinds("project:p") == ["meanwhile", "first"]
