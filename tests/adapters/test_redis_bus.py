"""The bus: copying is harmless to repeat, telling never hurts who tells."""

import time

import pytest
import redis

from adapters.redis_bus import RedisBus
from settings import settings

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def bus(database: None) -> RedisBus:
    return RedisBus(settings().redis_url)


def entries(topic: str) -> list[tuple[str, dict[str, str]]]:
    with redis.Redis.from_url(settings().redis_url, decode_responses=True) as client:
        return [(entry, fields) for entry, fields in client.xrange(f"ev:{topic}")]


def test_copying_again_changes_nothing(bus: RedisBus) -> None:
    bus.stream([("a", 1, b"one"), ("a", 2, b"two"), ("b", 1, b"other")])
    bus.stream([("a", 2, b"two"), ("a", 3, b"three")])
    assert [entry for entry, _ in entries("a")] == ["1-0", "2-0", "3-0"]
    assert [fields["news"] for _, fields in entries("a")] == ["one", "two", "three"]
    assert len(entries("b")) == 1


def test_streams_do_not_stay_for_ever(bus: RedisBus) -> None:
    bus.stream([("a", 1, b"one")])
    bus.tail("t", 1, 1, ["x"])
    with redis.Redis.from_url(settings().redis_url) as client:
        assert 0 < client.ttl("ev:a") <= 7 * 86_400
        assert 0 < client.ttl("ev:t") <= 7 * 86_400


def test_a_tail_is_kept_in_any_order(bus: RedisBus) -> None:
    bus.tail("t", 3, 4, ["c", "d"])
    bus.tail("t", 1, 2, ["a", "b"])
    assert [fields["items"] for _, fields in entries("t")] == ['["c","d"]', '["a","b"]']


def test_copying_says_when_redis_is_away() -> None:
    with pytest.raises(redis.RedisError):
        RedisBus(NOBODY).stream([("a", 1, b"one")])


def test_telling_does_not_wait_for_a_dead_redis() -> None:
    bus = RedisBus(NOBODY)
    began = time.monotonic()
    for number in range(1_000):
        bus.tail("t", number, number, ["x"])
    assert time.monotonic() - began < 1.0
