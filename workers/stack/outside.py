"""Checks on servers that are not ours to start."""

import psycopg
import redis

from workers.stack.refusal import CannotStart

CONNECT_SECONDS = 5


def refuse_unreachable(database_url: str, redis_url: str) -> None:
    """Check that both servers let us in.

    :raises CannotStart: naming the variable at fault and the reason.
    """
    plain = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        psycopg.connect(plain, connect_timeout=CONNECT_SECONDS).close()
    except psycopg.Error as problem:
        raise CannotStart(f"DATABASE_URL leads to no database: {_in_one_line(problem)}") from None
    try:
        with redis.Redis.from_url(redis_url, socket_connect_timeout=CONNECT_SECONDS) as client:
            client.ping()
    except (redis.RedisError, ValueError) as problem:
        raise CannotStart(f"REDIS_URL leads to no server: {_in_one_line(problem)}") from None


def _in_one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())
