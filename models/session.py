"""The engine of this process and the one way to open a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import orjson
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from settings import settings

POOL_SIZE = 8


def build_engine(database_url: str, *, pool_size: int = POOL_SIZE) -> Engine:
    """An engine with bounded waits: no statement and no lock is waited for without end."""
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        pool_recycle=1800,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "connect_timeout": 3,
            "application_name": "runyard",
            "options": "-c lock_timeout=5s -c statement_timeout=30s"
            " -c idle_in_transaction_session_timeout=30s -c timezone=utc -c jit=off",
        },
    )


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The engine of this process."""
    return build_engine(settings().database_url)


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that commits when the block ends well and rolls back when it does not."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


def forget_connections() -> None:
    """After a fork: leave the parent's sockets alone and connect anew."""
    engine().dispose(close=False)
