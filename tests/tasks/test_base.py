"""A delivery may come twice, late, or never; what it does happens once and is always reported."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from domain.clock import in_seconds, now
from domain.errors import Conflict
from domain.intents.commands import expire, open_intents, succeed
from domain.intents.outbox import MOST_FAILURES
from domain.jobs import Job
from domain.runs.commands import clone_run
from models.intents import Intent, IntentState
from models.outbox import OutboxMessage
from models.runs import Run, RunState
from models.session import transaction
from tests.factories import make_experiment, make_project, make_run, start
from tests.people import Person

if TYPE_CHECKING:
    from tasks.base import Work

Do = Callable[["Work"], None]


@pytest.fixture
def run(alice: Person) -> Run:
    return make_run(alice, make_experiment(alice, make_project(alice)))


@pytest.fixture
def message_id(alice: Person, run: Run) -> UUID:
    """A message of an intent of Alice's; what its job does is the test's own business."""
    with transaction() as session:
        intent = clone_run(session, alice.actor, session.get_one(Run, run.id))
    return _message_of(intent.id)


def _message_of(intent_id: UUID) -> UUID:
    with transaction() as session:
        return session.scalars(
            select(OutboxMessage.id).where(OutboxMessage.intent_id == intent_id)
        ).one()


def deliver(message_id: UUID, do: Do) -> None:
    """What a worker does with a message from the broker."""
    from tasks.base import perform  # it connects to the broker of the servers that run by now

    perform(do, message_id)


def message(message_id: UUID) -> OutboxMessage:
    with transaction() as session:
        return session.get_one(OutboxMessage, message_id)


def intent_of(message_id: UUID) -> Intent:
    with transaction() as session:
        return session.get_one(Intent, message(message_id).intent_id)


def rename(work: "Work", name: str) -> None:
    """An effect that can be seen, with the end of the work in one commit."""
    with transaction() as session:
        intent = work.intent(session)
        session.get_one(Run, work.subject_id).name = name
        if intent is not None:
            succeed(session, intent)
        work.finish(session)


def test_of_deliveries_at_the_same_moment_one_works(message_id: UUID) -> None:
    worked = []

    def do(work: "Work") -> None:
        worked.append(work)
        time.sleep(0.2)
        rename(work, "once")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: deliver(message_id, do), range(4)))
    deliver(message_id, do)
    assert len(worked) == 1
    assert intent_of(message_id).state is IntentState.SUCCEEDED


def test_what_a_stale_worker_did_is_rolled_back(run: Run, message_id: UUID) -> None:
    def do(work: "Work") -> None:
        _let_claim_lapse(message_id)
        deliver(message_id, lambda other: rename(other, "by the second"))
        rename(work, "by the first")

    deliver(message_id, do)
    with transaction() as session:
        assert session.get_one(Run, run.id).name == "by the second"


def test_what_cannot_be_done_yet_is_given_back_without_blame(message_id: UUID) -> None:
    def do(work: "Work") -> None:
        with transaction() as session:
            work.postpone(session, 60)

    deliver(message_id, do)
    waiting = message(message_id)
    assert (waiting.failures, waiting.claimed_until, waiting.finished_at) == (0, None, None)
    assert waiting.due_at > now()
    assert intent_of(message_id).state is IntentState.RUNNING


def test_a_refusal_fails_the_intent_with_its_reason(message_id: UUID) -> None:
    def do(work: "Work") -> None:
        raise Conflict("the moon is in the way", code="moon")

    deliver(message_id, do)
    intent = intent_of(message_id)
    assert (intent.state, intent.error_code) == (IntentState.FAILED, "moon")
    assert intent.error_detail == "the moon is in the way"
    assert message(message_id).finished_at


def test_an_unknown_failure_is_tried_again_and_set_aside_in_the_end(message_id: UUID) -> None:
    def do(work: "Work") -> None:
        raise RuntimeError("a bug")

    for failures in range(1, MOST_FAILURES + 1):
        deliver(message_id, do)
        assert message(message_id).failures == failures
    assert message(message_id).finished_at
    intent = intent_of(message_id)
    assert intent.state is IntentState.QUARANTINED
    assert intent.error_detail == "RuntimeError: a bug"


def test_a_run_whose_start_is_set_aside_does_not_wait_for_ever(alice: Person, run: Run) -> None:
    def do(work: "Work") -> None:
        raise RuntimeError("a bug")

    start(alice, run.id)
    with transaction() as session:
        (intent,) = open_intents(session, run.id, Job.RUN_START)
    message_id = _message_of(intent.id)
    for _ in range(MOST_FAILURES):
        deliver(message_id, do)
    with transaction() as session:
        failed = session.get_one(Run, run.id)
    assert (failed.state, failed.failure_class) == (RunState.FAILED, "start_timeout")
    assert intent_of(message_id).state is IntentState.QUARANTINED


def test_what_was_asked_too_long_ago_is_not_done_any_more(run: Run, message_id: UUID) -> None:
    with transaction() as session:
        expire(session, session.get_one(Intent, message(message_id).intent_id))
    deliver(message_id, lambda work: rename(work, "too late"))
    with transaction() as session:
        assert session.get_one(Run, run.id).name == "run"
    assert message(message_id).finished_at


def test_an_intent_that_expires_meanwhile_stays_expired(message_id: UUID) -> None:
    def do(work: "Work") -> None:
        with transaction() as session:
            expire(session, session.get_one(Intent, work.claim.intent_id))
        rename(work, "too late")

    deliver(message_id, do)
    assert intent_of(message_id).state is IntentState.EXPIRED


def test_long_work_keeps_its_claim(message_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = threading.Event()

    def do(work: "Work") -> None:
        _let_claim_lapse(message_id)
        for _ in range(100):
            if message(message_id).claimed_until > now():  # type: ignore[operator]
                soon.set()
                break
            time.sleep(0.05)
        rename(work, "in peace")

    monkeypatch.setattr("tasks.keeping.settings", lambda: _Short())
    deliver(message_id, do)
    assert soon.is_set()
    assert message(message_id).failures == 0


def test_a_log_line_names_the_job_and_its_subject(run: Run, message_id: UUID) -> None:
    with capture_logs() as logged:
        deliver(message_id, lambda work: rename(work, "seen"))
    assert [entry["event"] for entry in logged] == ["job attended"]


class _Short:
    lease_seconds = 0.3


def _let_claim_lapse(message_id: UUID) -> None:
    with transaction() as session:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == message_id)
            .values(claimed_until=in_seconds(-1), due_at=in_seconds(-1))
        )
