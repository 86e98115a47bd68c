"""Migrations lead up, down, and to exactly what the entities say."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

import models  # noqa: F401 - completes the metadata
from models.base import Base
from models.migrating import configuration, upgrade
from settings import settings


@pytest.fixture
def fresh_url(servers: None) -> Iterator[str]:
    """The address of a database with nothing in it."""
    url = make_url(settings().database_url).set(drivername="postgresql+psycopg")
    name = f"migrating_{uuid4().hex}"
    admin = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"create database {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))


def test_the_newest_revision_is_what_the_entities_say(fresh_url: str) -> None:
    upgrade(fresh_url)
    with create_engine(fresh_url, poolclass=NullPool).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_every_migration_can_be_undone(fresh_url: str) -> None:
    upgrade(fresh_url)
    command.downgrade(configuration(fresh_url), "base")
    with create_engine(fresh_url, poolclass=NullPool).connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}


def test_a_second_upgrade_changes_nothing(fresh_url: str) -> None:
    upgrade(fresh_url)
    upgrade(fresh_url)
