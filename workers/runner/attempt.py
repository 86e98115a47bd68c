"""The story of one attempt: prepare, start, watch, end, settle.

The runner is the only holder of its attempt. It outlives workers and outages; when it is told
that the attempt is over it kills what it started and writes nothing more.
"""

import os
import time
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from adapters.archives import HostileArchive
from adapters.assembly import build_ports
from adapters.logs import configure_logging
from adapters.runtimes import RuntimeAbandoned, RuntimeFailed
from domain.errors import DomainError, Invalid
from domain.ports import Ports
from domain.runs import attempts
from domain.runs.attempts import Ending, Superseded
from domain.runs.progress import Pace, keep_progress, position_of
from domain.runs.sources import stored_at
from domain.runs.spec import read_spec
from models.runs import Attempt, FailureClass, Outcome, Run, Source
from models.session import transaction
from settings import settings
from workers.runner.child import Child, Command
from workers.runner.exits import CannotStart, Exit, Failure
from workers.runner.lease import Lease
from workers.runner.output import Output
from workers.runner.preparation import (
    Assignment,
    build_runtime,
    command_of,
    isolation_of,
    lay_out_source,
    make_workspace,
)
from workers.runner.shipping import Shipping

log = structlog.get_logger()
POLL_SECONDS = 0.05
SHIP_SECONDS = 0.15
PROGRESS_SECONDS = 0.5
DRAIN_SECONDS = 5.0
CLASSES = {
    Failure.COMMAND_NOT_FOUND: FailureClass.COMMAND_NOT_FOUND,
    Failure.NOT_EXECUTABLE: FailureClass.COMMAND_NOT_FOUND,
    Failure.EXIT_CODE: FailureClass.USER_ERROR,
    Failure.KILLED: FailureClass.SIGNAL,
    Failure.OUT_OF_MEMORY: FailureClass.OUT_OF_MEMORY,
}


def carry(attempt_id: UUID, token: str) -> None:
    """Carry an attempt from its beginning to its end, in a process of its own."""
    configure_logging("runner")
    structlog.contextvars.bind_contextvars(attempt_id=str(attempt_id))
    try:
        work = _take_up(attempt_id, token)
    except Superseded:
        log.warning("the attempt was over before it began")
        return
    structlog.contextvars.bind_contextvars(run_id=str(work.run_id))
    lease = Lease(attempt_id, work.run_id)
    try:
        lease.start()
        ending = _carry(work, lease, build_ports(settings()))
        _settle(attempt_id, ending, lease)
    except Superseded:
        log.warning("the attempt is over; nothing more is written")
    finally:
        lease.end()


def _take_up(attempt_id: UUID, token: str) -> Assignment:
    with transaction() as session:
        attempt = session.get(Attempt, attempt_id)
        if attempt is None:
            raise Superseded("there is no such attempt")
        run = session.get_one(Run, attempt.run_id)
        source = session.get(Source, run.source_id) if run.source_id else None
        return Assignment(
            run_id=run.id,
            attempt_id=attempt_id,
            number=attempt.number,
            token=token,
            spec=read_spec(run.spec),
            archive=stored_at(source) if source else None,
        )


def _carry(work: Assignment, lease: Lease, ports: Ports) -> Ending:
    try:
        command, runtime = _prepare(work, lease, ports)
    except RuntimeAbandoned:
        return Ending(Outcome.STOPPED)
    except RuntimeFailed as failure:
        return _failed(FailureClass.RUNTIME_BUILD, failure)
    except (HostileArchive, Invalid) as failure:
        return _failed(FailureClass.SOURCE, failure)
    if lease.stop_grace is not None:
        return Ending(Outcome.STOPPED)
    try:
        child = Child(command)
    except CannotStart as failure:
        return Ending(Outcome.FAILED, failure_class=CLASSES[failure.failure], detail=failure.detail)
    return _Watch(work, lease, ports, child, runtime).until_the_end()


def _prepare(work: Assignment, lease: Lease, ports: Ports) -> tuple[Command, str]:
    workspace = make_workspace(work)
    with transaction() as session:
        attempts.note_runner(
            session,
            work.attempt_id,
            pid=os.getpid(),
            workspace=str(workspace.path),
            isolation=isolation_of(workspace),
        )
    lay_out_source(work, workspace, ports.artifacts)

    def tell(line: str) -> None:
        with transaction() as session:
            attempts.note_preparing(session, work.attempt_id, 50, f"building the runtime: {line}")

    runtime = build_runtime(
        work,
        workspace,
        tell=tell,
        is_wanted=lambda: lease.stop_grace is None and not lease.must_end,
    )
    return command_of(work, workspace, runtime), runtime.digest


class _Watch:
    """Everything that goes on while the command lives."""

    def __init__(
        self, work: Assignment, lease: Lease, ports: Ports, child: Child, runtime: str
    ) -> None:
        self.work, self.lease, self.bus, self.child = work, lease, ports.bus, child
        self.runtime = runtime
        self.output = Output(child.stdout, child.stderr, keep_bytes=settings().log_bytes)
        self.shipping: Shipping | None = None
        self.began = time.monotonic()
        self.pace = Pace()
        self.ticks = 0
        self.last_done: int | None = None
        self.due = {"ship": 0.0, "progress": 0.0}
        self.is_noted = self.ending_noted = self.is_timed_out = False

    def until_the_end(self) -> Ending:
        while (ended := self.child.poll()) is None:
            self._obey()
            self._note_running()
            if self._is_due("ship", SHIP_SECONDS):
                self._ship()
            if self._is_due("progress", PROGRESS_SECONDS):
                self._tell_progress()
            time.sleep(POLL_SECONDS)
        self._ship_the_rest()
        self._tell_progress()
        return _ending_of(ended)

    def _obey(self) -> None:
        if self.lease.must_end:
            self.child.end(0.0)
            return
        limit = self.work.spec.time_limit_seconds
        if limit is not None and not self.is_timed_out and self._age() > limit:
            self.is_timed_out = self._write(attempts.time_out)
            self.child.end(self._own_grace())
        grace = self.lease.stop_grace
        if grace is not None:
            self.child.end(grace)
            self.ending_noted = self.ending_noted or self._write(attempts.note_ending)

    def _note_running(self) -> None:
        if self.is_noted:
            return
        try:
            with transaction() as session:
                attempts.note_running(
                    session, self.work.attempt_id, pid=self.child.pid, runtime=self.runtime
                )
            self.is_noted = True
        except Superseded:
            self.lease.is_over = True
        except SQLAlchemyError as problem:
            log.warning("the start could not be noted yet", problem=str(problem))

    def _ship(self) -> bool:
        try:
            if self.shipping is None:
                work = self.work
                self.shipping = Shipping(work.run_id, work.attempt_id, work.number, self.bus)
            return self.shipping.ship(self.output.take())
        except SQLAlchemyError:
            return False
        except Superseded:
            self.lease.is_over = True
            return True

    def _ship_the_rest(self) -> None:
        rest = self.output.finish(DRAIN_SECONDS)
        while not self.lease.must_end:
            try:
                if self._ship() and self.shipping is not None and self.shipping.ship(rest):
                    return
            except Superseded:
                self.lease.is_over = True
            rest = rest if self.shipping is None else []
            time.sleep(1.0)

    def _tell_progress(self) -> None:
        try:
            with transaction() as session:
                position = position_of(session, self.work.run_id)
                if position is None or position.done == self.last_done:
                    return
                progress = self.pace.progress(position, time.monotonic())
                keep_progress(session, self.work.run_id, progress)
        except SQLAlchemyError:
            return
        self.last_done = position.done
        self.ticks += 1
        self.bus.tail(f"run:{self.work.run_id}/progress", self.ticks, self.ticks, [progress])

    def _write(self, note: "attempts.Note") -> bool:
        try:
            with transaction() as session:
                note(session, self.work.attempt_id)
        except SQLAlchemyError:
            return False
        except Superseded:
            self.lease.is_over = True
        return True

    def _own_grace(self) -> float:
        own = self.work.spec.stop_grace_seconds
        return settings().stop_grace_seconds if own is None else own

    def _age(self) -> float:
        return time.monotonic() - self.began

    def _is_due(self, duty: str, seconds: float) -> bool:
        if time.monotonic() < self.due[duty]:
            return False
        self.due[duty] = time.monotonic() + seconds
        return True


def _ending_of(ended: Exit) -> Ending:
    if ended.succeeded:
        return Ending(Outcome.SUCCEEDED, exit_code=0)
    failure = CLASSES[ended.failure] if ended.failure else None
    return Ending(Outcome.FAILED, ended.code, ended.signal, failure, ended.detail)


def _failed(failure_class: FailureClass, error: DomainError) -> Ending:
    return Ending(Outcome.FAILED, failure_class=failure_class, detail=error.detail)


def _settle(attempt_id: UUID, ending: Ending, lease: Lease) -> None:
    """Record the end, as soon as the database takes it."""
    while True:
        try:
            with transaction() as session:
                attempts.settle(session, attempt_id, ending)
            log.info("attempt settled", outcome=ending.outcome, exit_code=ending.exit_code)
            return
        except SQLAlchemyError as problem:
            log.warning("the end could not be recorded yet", problem=str(problem))
            if lease.must_end:
                return
            time.sleep(1.0)
