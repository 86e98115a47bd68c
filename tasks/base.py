"""How a Celery task meets a job: claim, one call, report.

A delivery may come twice, late, or never; the claim decides. What a task does is finished in
the very transaction of its effects, so a stale claimer's effects are rolled back with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import structlog
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from adapters.assembly import build_ports
from celery_config import celery_app
from domain.errors import DomainError
from domain.intents import commands as intents
from domain.intents import outbox
from domain.jobs import Job
from domain.ports import Ports
from domain.runs.quarantine import set_aside
from models.intents import Intent
from models.session import transaction
from settings import settings
from tasks.keeping import kept

log = structlog.get_logger()


class StaleClaim(Exception):
    """Somebody else has claimed the work since; our effects must not commit."""


@dataclass(frozen=True)
class Work:
    """A claimed job."""

    claim: outbox.Claim

    @property
    def subject_id(self) -> UUID:
        return UUID(self.claim.arguments["subject_id"])

    def intent(self, session: Session) -> Intent | None:
        """The intent behind the job, locked; None when nobody waits for an outcome any more."""
        if self.claim.intent_id is None:
            return None
        intent = session.get(Intent, self.claim.intent_id, with_for_update=True)
        return None if intent is None or intent.is_settled else intent

    def finish(self, session: Session) -> None:
        """Say that the work is done, in the transaction that did it. :raises StaleClaim:"""
        if not outbox.finish(session, self.claim):
            raise StaleClaim

    def postpone(self, session: Session, seconds: float) -> None:
        """Say that it cannot be done yet, in the transaction that found out: who changes that
        afterwards finds the work waiting and can ring for it. :raises StaleClaim:"""
        if not outbox.postpone(session, self.claim, seconds):
            raise StaleClaim


@lru_cache(maxsize=1)
def ports() -> Ports:
    return build_ports(settings())


def job(kind: Job) -> Callable[[Callable[[Work], None]], Callable[[str], None]]:
    """Make a function the task of a job."""

    def register(function: Callable[[Work], None]) -> Callable[[str], None]:
        def deliver(message_id: str, **_: object) -> None:
            with bound_contextvars(job=kind.value, message_id=message_id):
                perform(function, UUID(message_id))

        task: Callable[[str], None] = celery_app.task(name=kind.value)(deliver)
        return task

    return register


def perform(function: Callable[[Work], None], message_id: UUID) -> None:
    """Do a message's work, unless somebody else does or did it."""
    claim = _claim(message_id)
    if claim is None:
        log.info("nothing left to do")
        return
    subject_id = claim.arguments.get("subject_id")
    with bound_contextvars(intent_id=str(claim.intent_id), subject_id=subject_id), kept(claim):
        _report(function, claim)


def _report(function: Callable[[Work], None], claim: outbox.Claim) -> None:
    try:
        function(Work(claim))
        log.info("job attended")
    except StaleClaim:
        log.warning("claim went stale; nothing was changed")
    except DomainError as refusal:
        _refuse(claim, refusal)
    except Exception as failure:
        _count_failure(claim, failure)


def _claim(message_id: UUID) -> outbox.Claim | None:
    with transaction() as session:
        claim = outbox.claim(session, message_id)
        if claim is None or claim.intent_id is None:
            return claim
        if intents.begin(session, claim.intent_id) is None and claim.job is not Job.RUN_START:
            outbox.finish(session, claim)
            return None
        return claim


def _refuse(claim: outbox.Claim, refusal: DomainError) -> None:
    """The work can never be done: the intent has failed, for a reason a person understands."""
    log.info("job refused", code=refusal.code, detail=refusal.detail)
    with transaction() as session:
        intent = Work(claim).intent(session)
        if outbox.finish(session, claim) and intent is not None:
            intents.fail(session, intent, refusal.code, refusal.detail)


def _count_failure(claim: outbox.Claim, failure: Exception) -> None:
    """The work failed for a reason we do not know: try again, and set it aside in the end."""
    log.exception("job failed")
    with transaction() as session:
        failures = outbox.fail(session, claim, f"{type(failure).__name__}: {failure}")
    if failures is not None and failures >= outbox.MOST_FAILURES:
        with transaction() as session:
            set_aside(session, claim.message_id)
