"""A real PostgreSQL and a real Valkey for the whole session, empty tables for each test."""

import os
import secrets
import shutil
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from tests.people import Person, sign_in_as
from tests.servers import start_servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Both servers, migrated, and the environment that points this process at them."""
    running = start_servers()
    os.environ.update(
        DATABASE_URL=running.database_url,
        REDIS_URL=running.redis_url,
        RUNYARD_SECRET_KEY=secrets.token_urlsafe(48),
        RUNYARD_DATA_DIR=str(tmp_path_factory.mktemp("data")),
        RUNYARD_HOST="testhost",
        RUNYARD_ALLOWED_ORIGINS="http://frontend.test",
    )
    from models.migrating import upgrade

    upgrade(running.database_url)
    yield
    from models.session import engine

    engine().dispose()
    running.stop()


@pytest.fixture
def database(servers: None) -> Iterator[None]:
    """Empty tables and an empty Valkey."""
    yield
    _empty()


def _empty() -> None:
    import redis

    from models.base import Base
    from models.session import engine
    from settings import settings

    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with engine().begin() as connection:
        connection.execute(text(f"truncate {names} restart identity cascade"))
    with redis.Redis.from_url(settings().redis_url) as client:
        client.flushdb()
    shutil.rmtree(settings().artifacts_path, ignore_errors=True)


@pytest.fixture(scope="session")
def _application(servers: None) -> Flask:
    from api.app import create_app
    from settings import settings

    return create_app(settings())


@pytest.fixture
def app(_application: Flask, database: None) -> Flask:
    return _application


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody who is not signed in."""
    return app.test_client()


@pytest.fixture
def alice(client: FlaskClient) -> Person:
    return sign_in_as(client, "Alice")


@pytest.fixture
def bob(client: FlaskClient) -> Person:
    return sign_in_as(client, "Bob")


@pytest.fixture
def victor(client: FlaskClient) -> Person:
    return sign_in_as(client, "Victor")


@pytest.fixture
def charlie(client: FlaskClient) -> Person:
    return sign_in_as(client, "Charlie")


@pytest.fixture
def ada(client: FlaskClient) -> Person:
    from models.accounts import PlatformRole

    return sign_in_as(client, "Ada", PlatformRole.ADMIN)


@pytest.fixture
def statements(database: None) -> Iterator[list[str]]:
    """The SQL statements sent while the test lasts."""
    from models.session import engine

    sent: list[str] = []

    def note(_: object, __: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    yield sent
    event.remove(engine(), "before_cursor_execute", note)
