"""What a holder may do, and what becomes of one that goes silent."""

from threading import Thread

import pytest
from sqlalchemy import func, select, update

from domain.clock import in_seconds
from domain.intents import outbox
from domain.jobs import Job
from domain.runs import attempts
from domain.runs.attempts import Ending, Superseded
from domain.runs.commands import request_stop
from models.intents import Intent, IntentState
from models.outbox import OutboxMessage
from models.runs import Attempt, FailureClass, Outcome, Run, RunState
from models.session import transaction
from settings import settings
from tests.factories import (
    begin_attempt,
    make_experiment,
    make_project,
    make_run,
    note_running,
    start,
)
from tests.people import Person


@pytest.fixture
def run(alice: Person) -> Run:
    return make_run(alice, make_experiment(alice, make_project(alice)))


def _reload(run: Run) -> Run:
    with transaction() as session:
        return session.get_one(Run, run.id)


def _start_intent(run: Run) -> Intent:
    with transaction() as session:
        return session.scalars(
            select(Intent).where(Intent.subject_id == run.id, Intent.action == Job.RUN_START)
        ).one()


def _stop(run: Run, reason: str = "user") -> None:
    with transaction() as session:
        request_stop(session, session.get_one(Run, run.id), reason=reason)


def _let_lease_lapse(run: Run) -> None:
    with transaction() as session:
        session.execute(
            update(Attempt).where(Attempt.run_id == run.id).values(lease_until=func.now())
        )


def _reap() -> int:
    with transaction() as session:
        lapsed = attempts.expired(session)
        for attempt in lapsed:
            attempts.lose(session, attempt)
        return len(lapsed)


def _settle(begun: attempts.Begun, ending: Ending) -> None:
    with transaction() as session:
        attempts.settle(session, begun.attempt.id, ending)


def test_a_start_succeeds_once_the_process_runs(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    assert _reload(run).state is RunState.PREPARING
    assert _start_intent(run).state is not IntentState.SUCCEEDED
    note_running(begun, pid=42)
    assert _reload(run).state is RunState.RUNNING
    assert _start_intent(run).state is IntentState.SUCCEEDED


def test_a_run_is_begun_once(alice: Person, run: Run) -> None:
    begin_attempt(alice, run)
    with transaction() as session:
        assert attempts.begin(session, session.get_one(Run, run.id)) is None


def test_a_settled_attempt_may_write_nothing_more(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    note_running(begun)
    _settle(begun, Ending(Outcome.SUCCEEDED, exit_code=0))
    assert _reload(run).state is RunState.SUCCEEDED
    with pytest.raises(Superseded):
        _settle(begun, Ending(Outcome.FAILED, exit_code=1))
    with pytest.raises(Superseded), transaction() as session:
        attempts.renew(session, begun.attempt.id)
    with pytest.raises(Superseded), transaction() as session:
        attempts.assert_live(session, begun.attempt.id)


def test_a_failure_keeps_its_class(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    note_running(begun)
    ending = Ending(
        Outcome.FAILED, exit_code=3, failure_class=FailureClass.USER_ERROR, detail="it died"
    )
    _settle(begun, ending)
    ended = _reload(run)
    assert (ended.state, ended.failure_class, ended.exit_code) == ("failed", "user_error", 3)


def test_a_run_asked_to_stop_is_stopped_even_if_it_ends_well(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    note_running(begun)
    _stop(run)
    with transaction() as session:
        assert attempts.renew(session, begun.attempt.id).stop
    _settle(begun, Ending(Outcome.SUCCEEDED, exit_code=0))
    assert _reload(run).state is RunState.STOPPED


def test_a_run_past_its_time_limit_has_failed(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    note_running(begun)
    with transaction() as session:
        attempts.time_out(session, begun.attempt.id)
    _settle(begun, Ending(Outcome.FAILED, exit_signal=15))
    assert _reload(run).failure_class is FailureClass.TIMEOUT


def test_a_run_past_its_time_limit_still_has_its_grace(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    note_running(begun)
    with transaction() as session:
        attempts.time_out(session, begun.attempt.id)
    with transaction() as session:
        wishes = attempts.renew(session, begun.attempt.id)
    assert wishes.stop_deadline
    assert wishes.stop_deadline > in_seconds(settings().stop_grace_seconds - 5)


def test_a_run_past_its_time_limit_has_failed_even_if_it_is_lost(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    note_running(begun)
    with transaction() as session:
        attempts.time_out(session, begun.attempt.id)
    _let_lease_lapse(run)
    _reap()
    assert (_reload(run).state, _reload(run).failure_class) == ("failed", "timeout")


def test_a_run_over_before_it_was_seen_running_was_started_all_the_same(
    alice: Person, run: Run
) -> None:
    begun = begin_attempt(alice, run)
    _settle(begun, Ending(Outcome.SUCCEEDED, exit_code=0))
    assert _reload(run).state is RunState.SUCCEEDED
    assert _start_intent(run).state is IntentState.SUCCEEDED


def test_a_stop_while_preparing_cancels_the_start(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    _stop(run)
    _settle(begun, Ending(Outcome.STOPPED))
    assert _reload(run).state is RunState.STOPPED
    assert _start_intent(run).state is IntentState.CANCELLED


def test_a_silent_attempt_is_lost_and_its_run_tried_again(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    note_running(begun)
    _let_lease_lapse(run)
    assert _reap() == 1
    assert _reload(run).state is RunState.QUEUED
    with pytest.raises(Superseded):
        note_running(begun)
    with transaction() as session:
        waiting = session.scalars(
            select(OutboxMessage).where(
                OutboxMessage.job == Job.RUN_START, OutboxMessage.intent_id.is_(None)
            )
        ).all()
        assert len(waiting) == 1


def test_a_run_lost_too_often_fails(alice: Person, run: Run) -> None:
    begin_attempt(alice, run)
    for _ in range(attempts.RETRIES_AFTER_LOSS):
        _let_lease_lapse(run)
        _reap()
        with transaction() as session:
            assert attempts.begin(session, session.get_one(Run, run.id))
    _let_lease_lapse(run)
    _reap()
    ended = _reload(run)
    assert (ended.state, ended.failure_class) == ("failed", "worker_lost")
    assert _start_intent(run).state is IntentState.FAILED


def test_a_lost_run_that_was_to_stop_is_stopped(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    note_running(begun)
    _stop(run)
    _let_lease_lapse(run)
    _reap()
    assert _reload(run).state is RunState.STOPPED


def test_an_abandoned_attempt_leaves_the_run_waiting(alice: Person, run: Run) -> None:
    begun = begin_attempt(alice, run)
    with transaction() as session:
        attempts.abandon(session, begun.attempt.id)
    assert _reload(run).state is RunState.QUEUED


def test_an_attempt_that_cannot_be_launched_wakes_no_other_run(alice: Person, run: Run) -> None:
    """Or two runs would take turns without a pause for as long as the launcher is away."""
    begun = begin_attempt(alice, run)
    waiting = make_run(alice, make_experiment(alice, make_project(alice, "more")))
    start(alice, waiting.id)
    with transaction() as session:
        session.execute(update(OutboxMessage).values(due_at=in_seconds(15)))
    with transaction() as session:
        attempts.abandon(session, begun.attempt.id)
    with transaction() as session:
        assert not session.scalars(
            select(OutboxMessage).where(OutboxMessage.due_at < in_seconds(1))
        ).all()


def test_each_slot_that_becomes_free_wakes_one_more_run(alice: Person, run: Run) -> None:
    experiment = make_experiment(alice, make_project(alice, "more"))
    first = begin_attempt(alice, run)
    second = begin_attempt(alice, make_run(alice, experiment))
    waiting = [make_run(alice, experiment).id for _ in range(3)]
    for run_id in waiting:
        start(alice, run_id)
    with transaction() as session:
        session.execute(update(OutboxMessage).values(due_at=in_seconds(15)))
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.arguments["subject_id"].astext.not_in(map(str, waiting)))
            .values(finished_at=func.now())
        )
    _settle(first, Ending(Outcome.SUCCEEDED, exit_code=0))
    _settle(second, Ending(Outcome.SUCCEEDED, exit_code=0))
    with transaction() as session:
        due = session.scalars(
            select(OutboxMessage)
            .where(OutboxMessage.due_at < in_seconds(1))
            .order_by(OutboxMessage.id)
        )
        assert [message.arguments["subject_id"] for message in due] == [
            str(run_id) for run_id in waiting[:2]
        ]


def test_a_run_told_to_wait_hears_of_a_slot_that_is_freed_at_that_moment(
    alice: Person, run: Run
) -> None:
    begun = begin_attempt(alice, run)
    waiting = make_run(alice, make_experiment(alice, make_project(alice, "more")))
    start(alice, waiting.id)
    with transaction() as session:
        message = session.scalars(
            select(OutboxMessage).where(
                OutboxMessage.arguments["subject_id"].astext == str(waiting.id)
            )
        ).one()
        claim = outbox.claim(session, message.id)
    assert claim
    freeing = Thread(target=_settle, args=(begun, Ending(Outcome.SUCCEEDED, exit_code=0)))
    with transaction() as session:
        attempts.free_slots(session, "testhost")
        freeing.start()
        freeing.join(0.3)
        assert freeing.is_alive()
        outbox.postpone(session, claim, 60)
    freeing.join()
    with transaction() as session:
        assert session.get_one(OutboxMessage, message.id).due_at < in_seconds(1)


def test_slots_are_counted_from_live_attempts(alice: Person, run: Run) -> None:
    with transaction() as session:
        before = attempts.free_slots(session, "testhost")
    begun = begin_attempt(alice, run)
    with transaction() as session:
        assert attempts.free_slots(session, "testhost") == before - 1
    _settle(begun, Ending(Outcome.SUCCEEDED, exit_code=0))
    with transaction() as session:
        assert attempts.free_slots(session, "testhost") == before
