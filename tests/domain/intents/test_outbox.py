"""Work is handed out until it is done, done by one at a time, and given up in the end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import func, update

from domain.clock import now
from domain.intents import delivery, outbox
from domain.intents.outbox import MOST_FAILURES, Claim
from domain.jobs import Job
from models.outbox import OutboxMessage
from models.session import transaction
from settings import settings

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def message_id() -> UUID:
    return enqueue()


def enqueue(**arguments: str) -> UUID:
    with transaction() as session:
        return outbox.enqueue(session, Job.UPKEEP_PRUNE, **arguments).id


def reload(message_id: UUID) -> OutboxMessage:
    with transaction() as session:
        return session.get_one(OutboxMessage, message_id)


def claim(message_id: UUID) -> Claim | None:
    with transaction() as session:
        return outbox.claim(session, message_id)


def claimed(message_id: UUID) -> Claim:
    held = claim(message_id)
    assert held is not None
    return held


def finish(held: Claim) -> bool:
    with transaction() as session:
        return outbox.finish(session, held)


def take_due() -> list[UUID]:
    with transaction() as session:
        return [message.id for message in delivery.take_due(session, 100)]


def let_time_pass(message_id: UUID, **columns: object) -> None:
    """As if the message's moment, and its claimer's lease, had come."""
    with transaction() as session:
        message = session.get_one(OutboxMessage, message_id)
        lapsed = {"claimed_until": func.clock_timestamp()} if message.claimed_until else {}
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == message_id)
            .values(due_at=func.clock_timestamp(), **lapsed, **columns)
        )


def race(work: Callable[[], object], racers: int = 8) -> list[object]:
    """Let threads do the same thing at the same moment."""
    start = Barrier(racers)

    def run(_: int) -> object:
        start.wait()
        return work()

    with ThreadPoolExecutor(racers) as threads:
        return list(threads.map(run, range(racers)))


class TestClaiming:
    def test_of_many_deliveries_one_is_at_work(self, message_id: UUID) -> None:
        assert len([held for held in race(lambda: claim(message_id)) if held]) == 1

    def test_a_lapsed_claim_passes_to_one_other(self, message_id: UUID) -> None:
        first = claimed(message_id)
        let_time_pass(message_id)
        (second,) = [held for held in race(lambda: claim(message_id)) if held]
        assert isinstance(second, Claim)
        assert second.fence == first.fence + 1

    def test_a_stale_claimer_can_neither_finish_nor_fail_nor_postpone(
        self, message_id: UUID
    ) -> None:
        stale = claimed(message_id)
        let_time_pass(message_id)
        fresh = claimed(message_id)
        with transaction() as session:
            assert not outbox.finish(session, stale)
            assert outbox.fail(session, stale, "too late") is None
            assert not outbox.postpone(session, stale, 1)
            assert not outbox.keep(session, stale)
        assert finish(fresh)

    def test_what_is_finished_is_finished_once_and_claimed_no_more(self, message_id: UUID) -> None:
        held = claimed(message_id)
        assert finish(held)
        assert not finish(held)
        assert claim(message_id) is None

    def test_a_claim_that_is_kept_does_not_lapse(self, message_id: UUID) -> None:
        held = claimed(message_id)
        let_time_pass(message_id)
        with transaction() as session:
            assert outbox.keep(session, held)
        assert claim(message_id) is None
        assert take_due() == []

    def test_a_claim_given_back_cannot_be_kept(self, message_id: UUID) -> None:
        held = claimed(message_id)
        with transaction() as session:
            outbox.postpone(session, held, 0)
        with transaction() as session:
            assert not outbox.keep(session, held)
        assert claim(message_id)


class TestDelivery:
    def test_a_message_is_taken_by_one_dispatcher(self, message_id: UUID) -> None:
        assert sorted(map(len, race(take_due))) == [0] * 7 + [1]  # type: ignore[arg-type]

    def test_what_nobody_claims_is_sent_again_after_a_pause_that_doubles(
        self, message_id: UUID
    ) -> None:
        for doubled in (1, 2, 4):
            assert take_due() == [message_id]
            assert take_due() == []
            pause = reload(message_id).due_at - now()
            expected = timedelta(seconds=settings().resend_seconds * doubled)
            assert expected - timedelta(seconds=1) < pause <= expected
            let_time_pass(message_id)

    def test_what_is_claimed_is_not_sent_again(self, message_id: UUID) -> None:
        claimed(message_id)
        assert take_due() == []

    def test_what_the_broker_did_not_take_is_due_at_once(self, message_id: UUID) -> None:
        with transaction() as session:
            messages = delivery.take_due(session, 100)
        with transaction() as session:
            delivery.give_back(session, messages)
        assert reload(message_id).sends == 0
        assert take_due() == [message_id]

    def test_giving_back_takes_nothing_from_a_claimer(self, message_id: UUID) -> None:
        with transaction() as session:
            messages = delivery.take_due(session, 100)
        held = claimed(message_id)
        with transaction() as session:
            delivery.give_back(session, messages)
        assert take_due() == []
        assert finish(held)

    def test_postponed_work_is_looked_at_later_and_has_not_failed(self, message_id: UUID) -> None:
        with transaction() as session:
            outbox.postpone(session, claimed(message_id), 60)
        postponed = reload(message_id)
        assert (postponed.failures, postponed.claimed_until) == (0, None)
        assert postponed.due_at > now() + timedelta(seconds=50)
        assert take_due() == []


class TestRinging:
    def test_postponed_work_about_a_subject_is_looked_at_when_rung_for(self) -> None:
        subject = UUID(int=7)
        about, other = enqueue(subject_id=str(subject)), enqueue(subject_id=str(UUID(int=8)))
        for message_id in (about, other):
            with transaction() as session:
                outbox.postpone(session, claimed(message_id), 60)
        with transaction() as session:
            outbox.ring(session, Job.UPKEEP_PRUNE, subject)
        assert take_due() == [about]

    def test_two_rings_wake_the_two_who_wait_longest(self) -> None:
        waiting = [enqueue() for _ in range(3)]
        for message_id in reversed(waiting):
            with transaction() as session:
                outbox.postpone(session, claimed(message_id), 60)
        for _ in range(2):
            with transaction() as session:
                outbox.ring_next(session, Job.UPKEEP_PRUNE)
        assert sorted(take_due()) == waiting[:2]

    def test_a_ring_does_not_wake_what_the_broker_has(self) -> None:
        in_the_broker, waiting = enqueue(), enqueue()
        with transaction() as session:
            outbox.postpone(session, claimed(waiting), 60)
        assert take_due() == [in_the_broker]
        with transaction() as session:
            outbox.ring_next(session, Job.UPKEEP_PRUNE)
        assert take_due() == [waiting]


class TestFailing:
    def test_failed_work_is_tried_again_after_pauses_that_grow(self, message_id: UUID) -> None:
        pauses = []
        for failures in (1, 2, 3):
            with transaction() as session:
                assert outbox.fail(session, claimed(message_id), "no luck") == failures
            pauses.append(reload(message_id).due_at - now())
            let_time_pass(message_id)
        assert pauses == sorted(pauses)
        assert reload(message_id).last_error == "no luck"

    def test_a_worker_that_goes_silent_counts_as_a_failure(self, message_id: UUID) -> None:
        claimed(message_id)
        let_time_pass(message_id)
        assert take_due() == [message_id]
        taken = reload(message_id)
        assert (taken.failures, taken.claimed_until) == (1, None)
        assert taken.last_error
        assert "silent" in taken.last_error

    def test_work_that_silences_its_workers_has_failed_for_good_in_the_end(
        self, message_id: UUID
    ) -> None:
        for failures in range(1, MOST_FAILURES + 1):
            claimed(message_id)
            let_time_pass(message_id)
            take_due()
            taken = reload(message_id)
            assert delivery.has_failed_for_good(taken) is (failures == MOST_FAILURES)
