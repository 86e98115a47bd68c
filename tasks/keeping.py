"""Holding a claim while its work goes on.

A claim is a lease like any other: short, so that the work of a worker that died is soon given to
another, and renewed, so that long work is not.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.intents import outbox
from models.session import transaction
from settings import settings

log = structlog.get_logger()


@contextmanager
def kept(claim: outbox.Claim) -> Iterator[None]:
    """Renew a claim at a third of its lease for as long as the block takes."""
    ended = threading.Event()
    thread = threading.Thread(target=_keep, args=(claim, ended), name="claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _keep(claim: outbox.Claim, ended: threading.Event) -> None:
    while not ended.wait(settings().lease_seconds / 3):
        try:
            with transaction() as session:
                if not outbox.keep(session, claim):
                    return
        except SQLAlchemyError as problem:
            log.warning("the claim could not be renewed", problem=str(problem))
