"""Runs migrations on the database of the settings, one process at a time."""

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

import models  # noqa: F401 - completes the metadata
from models.base import Base
from models.types import Choice, Instant
from settings import settings

ONE_AT_A_TIME = 7_236_491


def in_plain_words(kind: str, thing: object, _: object) -> str | bool:
    """Our column types by what they are in SQL, so that old migrations need no code of ours."""
    if kind == "type" and isinstance(thing, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, Choice):
        return "sa.Text()"
    return False


def run() -> None:
    given = context.config.get_main_option("sqlalchemy.url")
    url = make_url(given or settings().database_url).set(drivername="postgresql+psycopg")
    with create_engine(url, poolclass=NullPool).connect() as connection:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_item=in_plain_words,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
