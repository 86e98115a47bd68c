"""What tasks, the runner and the reaper may do to a run.

An attempt is fenced by its outcome: once it has one, nothing of it is accepted any more. Its
holder renews a lease; who lets it lapse is taken for lost and may never write again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from domain.access.tokens import Prefix, digest, new_token
from domain.clock import in_seconds, now
from domain.errors import Conflict
from domain.intents import commands as intents
from domain.intents.outbox import enqueue, ring_next
from domain.jobs import Job
from domain.runs.commands import request_stop
from domain.runs.ending import finish_run
from domain.runs.lifecycle import move
from models.runs import (
    Attempt,
    AttemptState,
    Desire,
    FailureClass,
    Outcome,
    Run,
    RunState,
)
from settings import settings

RETRIES_AFTER_LOSS = 2
LONGEST_LAUNCH_PAUSE_SECONDS = 30.0
TIMEOUT = "timeout"

Note = Callable[[Session, UUID], None]


class Superseded(Conflict):
    """The attempt is over as far as we are concerned; its holder must end."""

    code = "attempt_superseded"


@dataclass(frozen=True)
class Begun:
    """A new attempt and the token its process will speak with; only a digest is kept."""

    attempt: Attempt
    token: str


@dataclass(frozen=True)
class Wishes:
    """What a heartbeat answers: whether to stop, and by when at the latest."""

    stop: bool
    stop_deadline: datetime | None


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, as its holder saw it."""

    outcome: Outcome
    exit_code: int | None = None
    exit_signal: int | None = None
    failure_class: FailureClass | None = None
    detail: str | None = None


def free_slots(session: Session, host: str) -> int:
    """How many more attempts the host may carry, counted from live attempts.

    Until the transaction ends no slot of the host is taken or freed elsewhere, so two claims
    never share the last one, and who is told to wait is heard by whoever frees the next.
    """
    _hold_slots(session, host)
    taken = session.scalar(
        select(func.count()).where(Attempt.host == host, Attempt.outcome.is_(None))
    )
    return settings().slots - (taken or 0)


def live_workspaces(session: Session, host: str) -> set[str]:
    """The folders that attempts on a host are at work in."""
    held = select(Attempt.workspace).where(Attempt.host == host, Attempt.outcome.is_(None))
    return {workspace for workspace in session.scalars(held) if workspace}


def begin(session: Session, run: Run) -> Begun | None:
    """Claim a queued run for this host; None when there is nothing to begin."""
    if run.state is not RunState.QUEUED or run.desire is not Desire.RUN:
        return None
    token = new_token(Prefix.RUN)
    run.attempt_count += 1
    attempt = Attempt(
        run_id=run.id,
        number=run.attempt_count,
        host=settings().host,
        token_digest=digest(token),
        lease_until=_a_lease_from_now(),
    )
    session.add(attempt)
    session.flush()
    move(session, run, RunState.PREPARING)
    for intent in intents.open_intents(session, run.id, Job.RUN_START):
        intents.note_progress(session, intent, 25, "preparing")
    return Begun(attempt, token)


def abandon(session: Session, attempt_id: UUID) -> None:
    """Undo a beginning whose runner could not be launched: the run waits again, each time longer.

    The slot is free again, but no other run is woken for it: it could not be launched either.
    """
    attempt = _hold(session, attempt_id)
    _close(attempt, Ending(Outcome.SUPERSEDED, detail="it could not be launched"))
    run = attempt.run
    if run.desire is Desire.STOP:
        finish_run(session, run, RunState.STOPPED, run.stop_reason or "user")
    else:
        move(session, run, RunState.QUEUED, reason="the attempt could not be launched")
        pause = min(LONGEST_LAUNCH_PAUSE_SECONDS, 2.0 ** min(attempt.number, 10))
        message = enqueue(session, Job.RUN_START, subject_id=str(run.id))
        message.due_at = in_seconds(pause)


def renew(session: Session, attempt_id: UUID) -> Wishes:
    """Keep the lease and learn what is wished. :raises Superseded: end at once."""
    renewed = session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id, Attempt.outcome.is_(None), Run.id == Attempt.run_id)
        .values(lease_until=_a_lease_from_now())
        .returning(Run.desire, Run.stop_deadline)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if renewed is None:
        raise Superseded("this attempt is over")
    return Wishes(renewed.desire is Desire.STOP, renewed.stop_deadline)


def assert_live(session: Session, attempt_id: UUID) -> None:
    """Make sure that what this transaction writes is written by a live attempt, and that it
    stays live until the commit. :raises Superseded: it is over."""
    live = session.scalar(
        select(Attempt.id)
        .where(Attempt.id == attempt_id, Attempt.outcome.is_(None))
        .with_for_update(read=True)
    )
    if live is None:
        raise Superseded("this attempt is over")


def note_runner(
    session: Session, attempt_id: UUID, *, pid: int, workspace: str, isolation: str
) -> Attempt:
    """The runner has taken over. :raises Superseded: it came too late."""
    attempt = _hold(session, attempt_id)
    attempt.runner_pid, attempt.workspace, attempt.isolation = pid, workspace, isolation
    return attempt


def note_preparing(session: Session, attempt_id: UUID, percent: int, message: str) -> None:
    """Tell followers of the start what is being prepared. :raises Superseded: end at once."""
    attempt = _hold(session, attempt_id)
    for intent in intents.open_intents(session, attempt.run_id, Job.RUN_START):
        intents.note_progress(session, intent, percent, message)


def note_running(session: Session, attempt_id: UUID, *, pid: int, runtime: str) -> None:
    """The training process exists: the start has succeeded. :raises Superseded: kill it."""
    attempt = _hold(session, attempt_id)
    attempt.state, attempt.process_pid, attempt.runtime = AttemptState.RUNNING, pid, runtime
    attempt.process_started_at = now()
    _note_started(session, attempt)


def note_ending(session: Session, attempt_id: UUID) -> None:
    """The holder is ending the process tree."""
    attempt = _hold(session, attempt_id)
    attempt.state = AttemptState.ENDING


def time_out(session: Session, attempt_id: UUID) -> None:
    """The run reached its time limit: it has its grace to stop, and will have failed."""
    run = _hold(session, attempt_id).run
    if run.desire is Desire.RUN:
        request_stop(session, run, reason=TIMEOUT)


def settle(session: Session, attempt_id: UUID, ending: Ending) -> None:
    """Record the end of an attempt and what it means for its run.

    A run that was asked to stop is stopped, whatever its process's exit code says; one
    that ran into its time limit has failed. :raises Superseded: nobody asks any more.
    """
    attempt = _hold(session, attempt_id)
    run = attempt.run
    if run.desire is Desire.STOP:
        ending = _as_wished(run, ending)
    _close(attempt, ending)
    if ending.outcome is Outcome.SUCCEEDED and run.state is RunState.PREPARING:
        # Its process was over before it could be recorded as running.
        _note_started(session, attempt)
    _finish_as(session, run, ending)
    _free_slot(session, attempt)


def lose(session: Session, attempt: Attempt) -> None:
    """Take a silent attempt for lost; its run is tried again a few times.

    The attempt is fenced first, so whatever still lives of it can write no more.
    """
    run = attempt.run
    detail = f"nothing was heard of the attempt on {attempt.host} within its lease"
    _close(attempt, Ending(Outcome.LOST, detail=detail))
    if run.desire is Desire.STOP:
        _finish_as(session, run, _as_wished(run, Ending(Outcome.STOPPED)))
    elif _losses(session, run) > RETRIES_AFTER_LOSS:
        lost = Ending(Outcome.FAILED, failure_class=FailureClass.WORKER_LOST, detail=detail)
        _finish_as(session, run, lost, reason="worker_lost")
    else:
        move(session, run, RunState.RETRY_WAIT, reason="worker_lost")
        move(session, run, RunState.QUEUED, reason="worker_lost")
        enqueue(session, Job.RUN_START, subject_id=str(run.id))
    _free_slot(session, attempt)


def give_up_start(session: Session, run: Run, detail: str) -> None:
    """Nobody will try to start this run again: a queued one has failed."""
    if run.state is RunState.QUEUED:
        failed = Ending(Outcome.FAILED, failure_class=FailureClass.START_TIMEOUT, detail=detail)
        _finish_as(session, run, failed)


def expired(session: Session, limit: int = 100) -> list[Attempt]:
    """Live attempts whose lease has lapsed, locked with their runs; those in use are skipped."""
    lapsed = session.scalars(
        select(Attempt)
        .join(Attempt.run)
        .where(Attempt.outcome.is_(None), Attempt.lease_until < func.clock_timestamp())
        .limit(limit)
        .with_for_update(skip_locked=True, of=[Run, Attempt])
    )
    return [_with_run(session, attempt) for attempt in lapsed]


def timed_out(ending: Ending) -> Ending:
    """The same ending, of a run that reached its time limit."""
    detail = "the run reached its time limit"
    return Ending(
        Outcome.FAILED, ending.exit_code, ending.exit_signal, FailureClass.TIMEOUT, detail
    )


def _hold(session: Session, attempt_id: UUID) -> Attempt:
    """Lock the run, then its attempt: everybody locks in this order."""
    run_id = session.scalar(select(Attempt.run_id).where(Attempt.id == attempt_id))
    if run_id is None:
        raise Superseded("there is no such attempt")
    session.scalars(select(Run).where(Run.id == run_id).with_for_update(key_share=True)).one()
    attempt = session.scalars(
        select(Attempt).where(Attempt.id == attempt_id).with_for_update(key_share=True)
    ).one()
    if attempt.outcome is not None:
        raise Superseded("this attempt is over")
    return _with_run(session, attempt)


def _with_run(session: Session, attempt: Attempt) -> Attempt:
    set_committed_value(attempt, "run", session.get_one(Run, attempt.run_id))
    return attempt


def _as_wished(run: Run, ending: Ending) -> Ending:
    if run.stop_reason == TIMEOUT:
        return timed_out(ending)
    return Ending(Outcome.STOPPED, ending.exit_code, ending.exit_signal)


def _note_started(session: Session, attempt: Attempt) -> None:
    if attempt.run.state is RunState.PREPARING:
        move(session, attempt.run, RunState.RUNNING)
    for intent in intents.open_intents(session, attempt.run_id, Job.RUN_START):
        intents.succeed(session, intent, attempt=attempt.number, pid=attempt.process_pid)


def _close(attempt: Attempt, ending: Ending) -> None:
    attempt.state, attempt.outcome, attempt.ended_at = AttemptState.OVER, ending.outcome, now()
    attempt.exit_code, attempt.exit_signal = ending.exit_code, ending.exit_signal
    attempt.failure_class, attempt.detail = ending.failure_class, ending.detail


def _free_slot(session: Session, attempt: Attempt) -> None:
    _hold_slots(session, attempt.host)
    ring_next(session, Job.RUN_START)


def _hold_slots(session: Session, host: str) -> None:
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"slots:{host}"))))


def _finish_as(session: Session, run: Run, ending: Ending, *, reason: str = "") -> None:
    run.exit_code = ending.exit_code
    run.failure_class, run.failure_detail = ending.failure_class, ending.detail
    states = {Outcome.SUCCEEDED: RunState.SUCCEEDED, Outcome.STOPPED: RunState.STOPPED}
    state = states.get(ending.outcome, RunState.FAILED)
    finish_run(session, run, state, reason or run.stop_reason or "")


def _a_lease_from_now() -> ColumnElement[datetime]:
    """By the database's clock, the only one that all hosts share."""
    return func.clock_timestamp() + timedelta(seconds=settings().lease_seconds)


def _losses(session: Session, run: Run) -> int:
    return (
        session.scalar(
            select(func.count()).where(Attempt.run_id == run.id, Attempt.outcome == Outcome.LOST)
        )
        or 0
    )
