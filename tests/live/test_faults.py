"""Valkey, PostgreSQL and the live process itself may vanish; a client misses nothing."""

import threading
import time
from collections.abc import Iterator

import pytest
import redis

from adapters.redis_bus import RedisBus
from demo.live_client import LiveClient
from models.runs import Run
from settings import settings
from tests.live.cable import Cable
from tests.live.listening import Ear, LiveProcess
from tests.live.telling import announce_steps, copy_news, print_lines, tell_steps
from tests.live.test_tails import texts
from tests.people import Person


@pytest.fixture
def valkey_cable(database: None) -> Cable:
    return Cable(settings().redis_url)


@pytest.fixture
def postgres_cable(database: None) -> Cable:
    return Cable(settings().database_url)


@pytest.fixture
def cabled(valkey_cable: Cable, postgres_cable: Cable) -> Iterator[LiveProcess]:
    process = LiveProcess(REDIS_URL=valkey_cable.url, DATABASE_URL=postgres_cable.url)
    yield process
    process.kill()


def flush() -> None:
    with redis.Redis.from_url(settings().redis_url) as client:
        client.flushall()


def hear_steps(ear: Ear, last: int) -> list[int]:
    heard: list[int] = []
    while not heard or heard[-1] < last:
        heard.append(ear.hear("event")["seq"])
    return heard


def test_a_flush_of_valkey_makes_no_hole(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"project:{run.project_id}"
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(topic)
        begun = ear.hear("subscribed")["seq"]
        tell_steps(bus, topic, 5)
        announce_steps(topic, 5, first=6)
        copy_news(bus)
        flush()
        tell_steps(bus, topic, 5, first=11)
        heard = hear_steps(ear, begun + 15)
    assert heard == list(range(begun + 1, begun + 16))


def test_news_that_never_reached_valkey_is_told(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"project:{run.project_id}"
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(topic)
        begun = ear.hear("subscribed")["seq"]
        announce_steps(topic, 3)
        heard = hear_steps(ear, begun + 3)
    assert heard == list(range(begun + 1, begun + 4))


def test_news_copied_in_another_order_is_told_in_order(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"project:{run.project_id}"
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(topic)
        begun = ear.hear("subscribed")["seq"]
        announce_steps(topic, 3)
        bus.stream([(topic, begun + 3, b'{"type":"step","at":1,"data":{}}')])
        bus.stream([(topic, begun + 1, b'{"type":"step","at":1,"data":{}}')])
        heard = hear_steps(ear, begun + 3)
    assert heard == list(range(begun + 1, begun + 4))


def test_while_valkey_is_away_postgresql_is_read(
    cabled: LiveProcess, valkey_cable: Cable, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic, log = f"project:{run.project_id}", f"run:{run.id}/log"
    with Ear(cabled, token=alice.token) as ear:
        ear.subscribe(topic, log)
        begun = ear.hear("subscribed")["seq"]
        valkey_cable.pull()
        tell_steps(bus, topic, 3)
        assert hear_steps(ear, begun + 3) == list(range(begun + 1, begun + 4))
        print_lines(bus, run.id, "in the dark")
        assert texts(ear, "in the dark") == ["in the dark"]
        ear.subscribe(f"run:{run.id}", after=0)
        assert ear.hear("event")["seq"] == 1
        valkey_cable.plug_in()
        time.sleep(1.5)
        tell_steps(bus, topic, 3, first=4)
        assert hear_steps(ear, begun + 6) == list(range(begun + 4, begun + 7))


def test_a_restart_of_postgresql_is_survived(
    cabled: LiveProcess, postgres_cable: Cable, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"project:{run.project_id}"
    with Ear(cabled, token=alice.token) as ear:
        ear.subscribe(topic)
        begun = ear.hear("subscribed")["seq"]
        postgres_cable.pull()
        tell_steps(bus, topic, 3)
        heard = hear_steps(ear, begun + 3)
        postgres_cable.plug_in()
        announce_steps(topic, 3, first=4)
        heard += hear_steps(ear, begun + 6)
    assert heard == list(range(begun + 1, begun + 7))


def test_what_needs_postgresql_meanwhile_is_a_fault(
    cabled: LiveProcess, postgres_cable: Cable, alice: Person, run: Run
) -> None:
    with Ear(cabled, token=alice.token) as ear:
        ear.hear("hello")
        postgres_cable.pull()
        ear.subscribe(f"run:{run.id}")
        code, bye = ear.hear_close()
        postgres_cable.plug_in()
    assert (code, bye and bye["reason"]) == (1011, "fault")


@pytest.mark.slow
def test_kills_of_the_live_process_lose_and_double_nothing(
    mortal: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"project:{run.project_id}"
    client = LiveClient(None, mortal.url, alice.token)
    client.subscribe({topic: 0})
    heard: list[int] = []

    def listen() -> None:
        for frame in client:
            if frame["frame"] == "event":
                heard.append(frame["seq"])

    threading.Thread(target=listen, daemon=True).start()
    for part in range(6):
        for step in range(50):
            tell_steps(bus, topic, 1, first=50 * part + step)
        if part in (1, 3):
            mortal.kill()
            mortal.start()
    until = time.monotonic() + 15
    while len(heard) < 301 and time.monotonic() < until:
        time.sleep(0.1)
    # The project's first event tells of the run itself.
    assert heard == list(range(1, 302))


def test_who_goes_down_says_goodbye(mortal: LiveProcess, alice: Person) -> None:
    with Ear(mortal, token=alice.token) as ear:
        ear.hear("hello")
        threading.Thread(target=mortal.stop).start()
        code, bye = ear.hear_close()
    assert code == 1012
    assert bye is not None
    assert bye["reason"] == "restart"
    assert bye["retry_ms"] > 0
