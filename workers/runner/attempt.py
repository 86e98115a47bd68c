"""The story of one attempt: prepare, start, watch, end, settle.

The runner is the only holder of its attempt. It outlives workers and outages; when it is told
that the attempt is over it kills what it started and writes nothing more.
"""

import os
import time
from contextlib import suppress
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from adapters.assembly import build_ports
from adapters.logs import configure_logging
from adapters.requirements import RequirementsRefused
from adapters.runtimes import RuntimeAbandoned, RuntimeFailed
from domain.errors import Invalid
from domain.ports import Ports
from domain.runs import attempts
from domain.runs.attempts import Ending, Superseded
from domain.runs.sources import stored_at
from domain.runs.spec import read_spec
from models.runs import Attempt, FailureClass, Outcome, Run, Source
from models.session import transaction
from settings import settings
from workers.runner.child import Child, Command
from workers.runner.endings import not_prepared, not_started
from workers.runner.exits import CannotStart
from workers.runner.lease import Lease
from workers.runner.preparation import (
    Assignment,
    build_runtime,
    command_of,
    isolation_of,
    lay_out_source,
    make_workspace,
)
from workers.runner.watch import Watch

log = structlog.get_logger()
AGAIN_SECONDS = 1.0


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
    except (RuntimeFailed, RequirementsRefused) as failure:
        return not_prepared(FailureClass.RUNTIME_BUILD, failure)
    except Invalid as failure:
        return not_prepared(FailureClass.SOURCE, failure)
    except RuntimeAbandoned:
        if lease.must_end:
            raise Superseded("nobody asks for this attempt any more") from None
        return Ending(Outcome.STOPPED)
    if lease.stop_grace is not None:
        return Ending(Outcome.STOPPED)
    try:
        child = Child(command)
    except CannotStart as failure:
        return not_started(failure)
    return Watch(work, lease, ports.bus, child, runtime).until_the_end()


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
        # Told to those who watch; an outage must not end the building.
        with suppress(SQLAlchemyError), transaction() as session:
            attempts.note_preparing(session, work.attempt_id, 50, f"building the runtime: {line}")

    runtime = build_runtime(
        work,
        workspace,
        tell=tell,
        is_wanted=lambda: lease.stop_grace is None and not lease.must_end,
    )
    return command_of(work, workspace, runtime), runtime.digest


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
            time.sleep(AGAIN_SECONDS)
