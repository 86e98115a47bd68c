"""When what a client asks for can't be told, it is told to read the state instead."""

from sqlalchemy import delete

from adapters.redis_bus import RedisBus
from models.events import Event
from models.runs import Run
from models.session import transaction
from tests.live.listening import Ear, LiveProcess
from tests.live.telling import tell_steps
from tests.people import Person


def test_events_that_are_not_kept_any_more(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"run:{run.id}"
    tell_steps(bus, topic, 10)
    with transaction() as session:
        session.execute(delete(Event).where(Event.topic == topic, Event.seq <= 5))
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(topic, after=4)
        reset = ear.hear("reset")
        tell_steps(bus, topic, 1, first=11)
        event = ear.hear("event")
    assert reset["snapshot_url"] == f"/api/v1/runs/{run.id}"
    assert event["seq"] == reset["seq"] + 1


def test_what_is_kept_is_told_although_older_is_gone(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"run:{run.id}"
    tell_steps(bus, topic, 10)
    with transaction() as session:
        session.execute(delete(Event).where(Event.topic == topic, Event.seq <= 5))
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(topic, after=5)
        assert ear.hear("event", "reset")["seq"] == 6


def test_a_number_from_the_future(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    topic = f"project:{run.project_id}"
    tell_steps(bus, topic, 3)
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(topic, after=1_000_000)
        reset = ear.hear("reset")
        tell_steps(bus, topic, 1, first=4)
        assert ear.hear("event")["seq"] == reset["seq"] + 1
    assert reset["snapshot_url"] == f"/api/v1/projects/{run.project_id}"
