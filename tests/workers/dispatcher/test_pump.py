"""What is due reaches the broker, what is silent is lost, and an outage of one delays no other."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
import redis
from kombu import Connection
from sqlalchemy import func, select, update

from adapters.redis_bus import RedisBus, stream_key
from domain.clock import in_seconds
from domain.intents import outbox
from domain.jobs import Job
from domain.news import announce
from domain.runs import attempts
from models.events import Event
from models.intents import Intent, IntentState
from models.outbox import OutboxMessage
from models.runs import Attempt, Run, RunState
from models.session import transaction
from settings import settings
from tests.factories import begin_attempt, make_experiment, make_project, make_run, start
from tests.people import Person

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def broker(servers: None) -> Iterator[Any]:
    line = import_module("workers.dispatcher.broker").Broker()
    yield line
    line.drop()


@pytest.fixture
def lost_broker(servers: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A broker at an address where nobody listens."""
    module = import_module("workers.dispatcher.broker")
    nowhere = partial(Connection, "redis://127.0.0.1:1/0")
    monkeypatch.setattr(module.celery_app, "connection_for_write", nowhere)
    return module.Broker()


@pytest.fixture
def run(alice: Person) -> Run:
    return make_run(alice, make_experiment(alice, make_project(alice)))


def pump() -> Any:
    """It connects to the broker of the servers, which run only by now."""
    return import_module("workers.dispatcher.pump")


def broken() -> Any:
    return import_module("workers.dispatcher.broker").BROKEN


def dispatch(broker: Any) -> int:
    return pump().dispatch(broker)


def enqueue() -> UUID:
    with transaction() as session:
        return outbox.enqueue(session, Job.UPKEEP_PRUNE).id


def waiting_in(queue: str) -> int:
    with redis.Redis.from_url(settings().redis_url) as client:
        return client.llen(f"cel:{queue}")


def reload(message_id: UUID) -> OutboxMessage:
    with transaction() as session:
        return session.get_one(OutboxMessage, message_id)


def test_what_is_due_reaches_the_queue_of_its_job_once(broker: Any) -> None:
    enqueue()
    assert dispatch(broker) == 1
    assert dispatch(broker) == 0
    assert waiting_in("upkeep") == 1


def test_dispatchers_side_by_side_send_each_message_once(servers: None) -> None:
    for _ in range(50):
        enqueue()
    start_together = Barrier(3)

    def send(_: int) -> int:
        line = import_module("workers.dispatcher.broker").Broker()
        start_together.wait()
        sent = 0
        while more := dispatch(line):
            sent += more
        line.drop()
        return sent

    with ThreadPoolExecutor(3) as threads:
        assert sum(threads.map(send, range(3))) == 50
    assert waiting_in("upkeep") == 50


def test_an_intent_is_dispatched_when_the_broker_has_it(
    alice: Person, run: Run, broker: Any
) -> None:
    start(alice, run.id)
    dispatch(broker)
    with transaction() as session:
        assert session.scalars(select(Intent.state)).all() == [IntentState.DISPATCHED]


def test_what_the_broker_does_not_take_is_due_at_once_and_nothing_is_claimed_of_it(
    alice: Person, run: Run, lost_broker: Any, broker: Any
) -> None:
    start(alice, run.id)
    with pytest.raises(broken()):
        dispatch(lost_broker)
    with transaction() as session:
        assert session.scalars(select(Intent.state)).all() == [IntentState.ACCEPTED]
        assert session.scalars(select(OutboxMessage.sends)).all() == [0]


def test_what_the_broker_forgot_is_sent_again(broker: Any) -> None:
    message_id = enqueue()
    dispatch(broker)
    with redis.Redis.from_url(settings().redis_url) as client:
        client.flushdb()
    with transaction() as session:
        session.execute(update(OutboxMessage).values(due_at=func.clock_timestamp()))
    assert dispatch(broker) == 1
    assert waiting_in("upkeep") == 1
    assert reload(message_id).sends == 2


def test_work_that_silenced_too_many_workers_is_not_sent_again(
    alice: Person, run: Run, broker: Any
) -> None:
    start(alice, run.id)
    with transaction() as session:
        session.execute(
            update(OutboxMessage).values(
                failures=outbox.MOST_FAILURES - 1,
                claimed_until=in_seconds(-1),
                due_at=in_seconds(-1),
            )
        )
    dispatch(broker)
    assert waiting_in("runs") == 0
    with transaction() as session:
        assert session.scalars(select(Intent.state)).all() == [IntentState.QUARANTINED]
        assert session.get_one(Run, run.id).state is RunState.FAILED


def test_a_broker_that_is_away_keeps_nobody_from_being_reaped(
    alice: Person, run: Run, lost_broker: Any
) -> None:
    rounds = import_module("workers.dispatcher.rounds")
    begin_attempt(alice, run)
    enqueue()
    _let_lease_lapse()
    duties = rounds.Rounds(lost_broker, RedisBus("redis://127.0.0.1:1/0"))
    duties.vigil = _Listening()
    began = time.monotonic()
    duties.go()
    assert time.monotonic() - began < 2
    with transaction() as session:
        assert session.get_one(Run, run.id).state is RunState.QUEUED


def test_silence_means_nothing_before_a_whole_lease_of_listening(
    servers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = import_module("workers.dispatcher.rounds")
    now = 100.0
    monkeypatch.setattr(rounds, "_now", lambda: now)
    vigil = rounds.Vigil(30)
    heard = []
    for now in (101.0, 110.0, 120.0, 131.0):  # noqa: B007  read by the clock above
        heard.append(vigil.listen())
    assert heard == [False, False, False, True]
    now = 150.0  # the machine slept
    assert not vigil.listen()
    for now in (160.0, 170.0, 179.0):  # noqa: B007
        assert not vigil.listen()
    now = 181.0
    assert vigil.listen()


def test_reapers_side_by_side_lose_an_attempt_once(alice: Person, run: Run) -> None:
    begin_attempt(alice, run)
    _let_lease_lapse()
    start_together = Barrier(4)

    def reap(_: int) -> int:
        start_together.wait()
        return pump().lose_silent()

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(reap, range(4))) == 1
    with transaction() as session:
        retries = select(func.count()).where(
            OutboxMessage.job == Job.RUN_START, OutboxMessage.intent_id.is_(None)
        )
        assert session.scalar(retries) == 1


def test_an_attempt_that_is_heard_in_time_is_not_lost(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    _let_lease_lapse()
    with transaction() as session:
        attempts.renew(session, begun.attempt.id)
    assert pump().lose_silent() == 0


def test_an_intent_past_its_deadline_expires(alice: Person, run: Run) -> None:
    start(alice, run.id)
    assert pump().expire_late() == 0
    with transaction() as session:
        session.execute(update(Intent).values(deadline_at=in_seconds(-1)))
    assert pump().expire_late() == 1
    assert pump().expire_late() == 0
    with transaction() as session:
        assert session.scalars(select(Intent.state)).all() == [IntentState.EXPIRED]


def test_news_is_streamed_in_order_and_once() -> None:
    for number in range(5):
        with transaction() as session:
            announce(session, ("project:p",), "moved", number=number)
    bus = RedisBus(settings().redis_url)
    assert pump().stream_news(bus) == 5
    assert pump().stream_news(bus) == 0
    assert _streamed() == [f"{seq}-0".encode() for seq in range(1, 6)]


def test_news_that_was_copied_before_a_crash_is_copied_again_harmlessly() -> None:
    with transaction() as session:
        announce(session, ("project:p",), "moved")
    bus = RedisBus(settings().redis_url)
    pump().stream_news(bus)
    with transaction() as session:
        session.execute(update(Event).values(is_streamed=False))
    assert pump().stream_news(bus) == 1
    assert _streamed() == [b"1-0"]


class _Listening:
    def listen(self) -> bool:
        return True


def _let_lease_lapse() -> None:
    with transaction() as session:
        session.execute(update(Attempt).values(lease_until=in_seconds(-1)))


def _streamed() -> list[bytes]:
    with redis.Redis.from_url(settings().redis_url) as client:
        return [number for number, _ in client.xrange(stream_key("project:p"))]
