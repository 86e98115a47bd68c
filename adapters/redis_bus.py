"""Carries news to live listeners over Redis streams.

Durable news has the explicit id ``<seq>-0``, so copying it twice changes nothing. A tail (lines of
log, points of metrics, progress) may be lost: its listeners read what is missing elsewhere.
"""

import time
from collections.abc import Sequence
from typing import Any, cast

import orjson
import structlog
from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

KEY_PREFIX = "ev:"
MOST_NEWS = 2_000
MOST_TAILS = 500
KEPT_SECONDS = 7 * 86_400
PAUSE_SECONDS = 1.0
ANSWER_SECONDS = 0.5
CONNECTIONS = 16

log = structlog.get_logger()


def stream_key(topic: str) -> str:
    """Where in Redis the news of a topic goes."""
    return KEY_PREFIX + topic


class RedisBus:
    """Writes to the streams; connects when it is first used."""

    def __init__(self, redis_url: str) -> None:
        # A stale connection costs one retry; a dead server must not cost the library's ten.
        pool = BlockingConnectionPool.from_url(
            redis_url,
            max_connections=CONNECTIONS,
            timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 1),
            protocol=2,
        )
        self._redis = Redis(connection_pool=pool)
        self._rest_until = 0.0

    def stream(self, events: Sequence[tuple[str, int, bytes]]) -> None:
        """Copy numbered news; what is there already stays as it is.

        :raises RedisError: some of it may not have been copied; do it all again.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for topic, seq, payload in events:
            pipeline.xadd(stream_key(topic), {"news": payload}, id=f"{seq}-0", maxlen=MOST_NEWS)
        for topic in {topic for topic, _, _ in events}:
            pipeline.expire(stream_key(topic), KEPT_SECONDS)
        for answer in pipeline.execute(raise_on_error=False):
            if isinstance(answer, Exception) and not _is_there_already(answer):
                raise answer

    def tail(self, topic: str, first: int, last: int, items: Sequence[Any]) -> None:
        """Tell those who listen right now; never raises and never holds the caller up for long.

        The items are numbered ``first`` to ``last``, one after another.
        """
        if time.monotonic() < self._rest_until:
            return
        fields = {"first": first, "last": last, "items": orjson.dumps(items)}
        pipeline = self._redis.pipeline(transaction=False)
        # Two processes may publish in another order than they committed in; ids by time keep both.
        pipeline.xadd(stream_key(topic), cast("Any", fields), maxlen=MOST_TAILS)
        pipeline.expire(stream_key(topic), KEPT_SECONDS)
        try:
            pipeline.execute()
        except RedisError as problem:
            self._rest(problem)
        else:
            self._rest_until = 0.0

    def _rest(self, problem: RedisError) -> None:
        if not self._rest_until:
            log.warning("live tails are off: Redis does not answer", problem=str(problem))
        self._rest_until = time.monotonic() + PAUSE_SECONDS


def _is_there_already(answer: Exception) -> bool:
    return isinstance(answer, ResponseError) and "equal or smaller" in str(answer)
