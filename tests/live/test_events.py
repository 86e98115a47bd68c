"""Durable topics: nothing is missed and nothing comes twice."""

from adapters.redis_bus import RedisBus
from models.runs import Run
from tests.live.listening import Ear, LiveProcess
from tests.live.telling import tell_steps
from tests.people import Person


def steps(ear: Ear, count: int) -> list[int]:
    return [ear.hear("event")["data"]["step"] for _ in range(count)]


def test_hello_tells_the_limits(live: LiveProcess, alice: Person) -> None:
    with Ear(live, token=alice.token) as ear:
        hello = ear.hear()
    assert hello["frame"] == "hello"
    assert hello["session"]
    assert hello["limits"] == {
        "topics": 100,
        "sockets": 10,
        "messages_per_second": 20,
        "message_bytes": 65536,
    }


def test_a_listener_hears_what_happens_from_now_on(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"run:{run.id}"
    tell_steps(bus, topic, 3)
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(topic)
        begun = ear.hear("subscribed")
        tell_steps(bus, topic, 2, first=4)
        event = ear.hear("event")
    assert event == {
        "frame": "event",
        "topic": topic,
        "seq": begun["seq"] + 1,
        "type": "step",
        "at": event["at"],
        "data": {"step": 4},
    }


def test_a_listener_hears_of_a_project(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"project:{run.project_id}")
        ear.hear("subscribed")
        tell_steps(bus, f"project:{run.project_id}", 1)
        assert steps(ear, 1) == [1]


def test_after_a_number_everything_since_is_told(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"run:{run.id}"
    tell_steps(bus, topic, 700)
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(topic, after=0)
        numbers = [ear.hear("event")["seq"]]
        tell_steps(bus, topic, 20, first=701)
        while numbers[-1] < 720:
            numbers.append(ear.hear("event")["seq"])
    assert numbers == list(range(1, numbers[-1] + 1))
