"""What every runner would do first, done once before any is forked.

A runner lives from this process's memory: with the entities mapped, the database's dialect known
and its first statements compiled it starts in a fraction of the time. Connections are not passed
on; each runner opens its own.
"""

from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from adapters.interpreters import describe, find_python
from adapters.workspaces import choose_uid
from domain.intents import commands as intents
from domain.jobs import Job
from domain.runs import attempts
from models.runs import Attempt, Run
from models.session import engine, transaction
from settings import settings

NOBODY = UUID(int=0)

log = structlog.get_logger()


def warm_up() -> None:
    """Make ready what runners share; a database that does not answer only makes them slower."""
    configure_mappers()
    describe(find_python(choose_uid(0), settings().runtime_python or None).path)
    try:
        _speak_to_the_database()
    except SQLAlchemyError as problem:
        log.warning("runners will start cold", problem=str(problem))
    engine().dispose()


def _speak_to_the_database() -> None:
    """Ask, of nobody, what a runner asks of its attempt."""
    with transaction() as session:
        session.get(Attempt, NOBODY)
        session.get(Run, NOBODY)
        session.scalars(select(Run).where(Run.id == NOBODY).with_for_update(key_share=True)).all()
        intents.open_intents(session, NOBODY, Job.RUN_START)
        for ask in (attempts.renew, attempts.note_ending):
            try:
                ask(session, NOBODY)
            except attempts.Superseded:
                continue
