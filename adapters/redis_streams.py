"""Reads many Redis streams with one blocking call, for the live hub."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from adapters.redis_bus import KEY_PREFIX, stream_key

AT_ONCE = 200
WAIT_SECONDS = 2.0
ANSWER_SECONDS = 1.0
WAKE_KEPT_SECONDS = 60
StreamsDown = RedisError


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one stream."""

    topic: str
    id: str
    fields: dict[bytes, bytes]


class RedisStreams:
    """Two connections: one that waits, one for everything else."""

    def __init__(self, redis_url: str) -> None:
        self._waiting = _connect(redis_url, WAIT_SECONDS + ANSWER_SECONDS)
        self._asking = _connect(redis_url, ANSWER_SECONDS)
        # Waiting can't be interrupted, but anything may arrive in a stream of our own.
        self._wake_topic = f"wake:{uuid4().hex}"
        self._wake_id = "0-0"

    def read(self, positions: Mapping[str, str]) -> list[Entry]:
        """What came after the positions, waiting a little for it, or less when woken.

        :raises StreamsDown: Redis does not answer.
        """
        wanted = {stream_key(topic): position for topic, position in positions.items()}
        wanted[stream_key(self._wake_topic)] = self._wake_id
        answer = self._waiting.xread(
            cast("dict[Any, Any]", wanted), count=AT_ONCE, block=int(WAIT_SECONDS * 1000)
        )
        entries = [
            _entry(key.decode().removeprefix(KEY_PREFIX), found)
            for key, founds in cast("list[tuple[bytes, list[Any]]]", answer or [])
            for found in founds
        ]
        self._wake_id = next(
            (e.id for e in reversed(entries) if e.topic == self._wake_topic), self._wake_id
        )
        return [entry for entry in entries if entry.topic != self._wake_topic]

    def wake(self) -> None:
        """Let a waiting read return. :raises StreamsDown: Redis does not answer."""
        key = stream_key(self._wake_topic)
        pipeline = self._asking.pipeline(transaction=False)
        pipeline.xadd(key, {"wake": b""}, maxlen=1, approximate=False)
        pipeline.expire(key, WAKE_KEPT_SECONDS)
        pipeline.execute()

    def recent(self, topic: str, count: int) -> list[Entry]:
        """The last entries of a stream, oldest first. :raises StreamsDown: no answer."""
        found = cast("list[Any]", self._asking.xrevrange(stream_key(topic), count=count))
        return [_entry(topic, entry) for entry in reversed(found)]


def _entry(topic: str, found: tuple[bytes, dict[bytes, bytes]]) -> Entry:
    entry_id, fields = found
    return Entry(topic, entry_id.decode(), fields)


def _connect(redis_url: str, answer_within: float) -> Redis:
    return Redis.from_url(
        redis_url,
        socket_timeout=answer_within,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
