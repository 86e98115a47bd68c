"""Somebody who does not read holds up nobody else, and large frames arrive whole."""

import time

import pytest
import websocket

from adapters.redis_bus import RedisBus
from domain.news import announce
from models.runs import Run
from models.session import transaction
from tests.live.listening import Ear, LiveProcess
from tests.live.telling import copy_news
from tests.people import Person

SMALL_BUFFER = 4096


def tell_large(bus: RedisBus, topic: str, count: int, size: int) -> None:
    with transaction() as session:
        for number in range(count):
            announce(session, [topic], "large", number=number, text="x" * size)
    copy_news(bus)


def test_large_frames_arrive_whole_at_a_slow_reader(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"run:{run.id}"
    with Ear(live, token=alice.token, receive_buffer=SMALL_BUFFER) as ear:
        ear.subscribe(topic)
        ear.hear("subscribed")
        tell_large(bus, topic, 30, 200_000)
        heard = []
        for _ in range(30):
            heard.append(ear.hear("event"))
            time.sleep(0.02)
    assert [event["data"]["number"] for event in heard] == list(range(30))
    assert {len(event["data"]["text"]) for event in heard} == {200_000}


@pytest.mark.slow
def test_who_does_not_read_is_cut_off_and_hinders_nobody(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"run:{run.id}"
    with (
        Ear(live, token=alice.token, receive_buffer=SMALL_BUFFER) as slow,
        Ear(live, token=alice.token) as fast,
    ):
        for ear in (slow, fast):
            ear.subscribe(topic)
            ear.hear("subscribed")
        began = time.monotonic()
        tell_large(bus, topic, 400, 20_000)
        heard = [fast.hear("event")["data"]["number"] for _ in range(400)]
        spent = time.monotonic() - began
        # A stall of two seconds and a goodbye of five: it can't be open any more.
        time.sleep(max(0.0, 9 - spent))
        with pytest.raises((OSError, websocket.WebSocketException, AssertionError)):
            slow.hear("no such frame", within=5)
    assert heard == list(range(400))


@pytest.mark.slow
def test_who_reads_too_slowly_is_told_and_may_resume(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"run:{run.id}"
    heard: list[int] = []
    with Ear(live, token=alice.token, receive_buffer=SMALL_BUFFER) as ear:
        ear.subscribe(topic)
        ear.hear("subscribed")
        tell_large(bus, topic, 400, 20_000)
        time.sleep(3)
        code = 0
        while not code:
            kind, content = ear.socket.recv_data()
            if kind == websocket.ABNF.OPCODE_CLOSE:
                code = int.from_bytes(content[:2], "big")
            elif b'"event"' in content[:20]:
                heard.append(len(heard))
    assert code == 4408
    with Ear(live, token=alice.token) as again:
        again.subscribe(topic, after=1 + len(heard))
        for number in range(len(heard), 400):
            assert again.hear("event")["data"]["number"] == number
