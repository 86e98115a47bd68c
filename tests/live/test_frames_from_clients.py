"""What a client may say, and what happens when it says something else."""

from uuid import uuid4

import pytest

from models.runs import Run
from tests.factories import make_project
from tests.live.listening import Ear, LiveProcess
from tests.live.telling import tell_steps
from tests.people import Person


@pytest.mark.parametrize(
    "message",
    [
        "not json",
        "[]",
        '{"frame":"shout"}',
        '{"frame":"subscribe"}',
        '{"frame":"subscribe","topics":{"run:x":{"after":-1}}}',
        '{"frame":"subscribe","topics":{"run:x":{"since":1}}}',
        '{"frame":"pong","loud":true}',
    ],
)
def test_a_bad_frame_closes_the_socket(live: LiveProcess, alice: Person, message: str) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.socket.send(message)
        code, bye = ear.hear_close()
    assert code == 4400
    assert bye is not None
    assert bye["reason"].startswith("bad_frame: ")


def test_frames_are_text(live: LiveProcess, alice: Person) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.socket.send_binary(b'{"frame":"pong"}')
        assert ear.hear_close()[0] == 4400


def test_a_flood_closes_the_socket(live: LiveProcess, alice: Person) -> None:
    with Ear(live, token=alice.token) as ear:
        for _ in range(21):
            ear.say("pong")
        code, bye = ear.hear_close()
    assert (code, bye and bye["reason"]) == (4429, "too_many_messages")


def test_twenty_messages_at_once_are_fine(live: LiveProcess, alice: Person) -> None:
    with Ear(live, token=alice.token) as ear:
        for _ in range(19):
            ear.say("pong")
        ear.subscribe("run:x")
        assert ear.hear("refused")["code"] == "no_such_topic"


def test_a_message_has_64_kib_at_most(live: LiveProcess, alice: Person) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.say("unsubscribe", topics=["x" * 65_536])
        assert ear.hear_close()[0] == 1009


@pytest.mark.parametrize(
    "name",
    ["run:x", "run", f"run:{uuid4()}/dreams", f"project:{uuid4()}/log", f"run:{uuid4().hex}"],
)
def test_a_topic_that_does_not_exist_is_refused(
    live: LiveProcess, alice: Person, name: str
) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(name)
        refused = ear.hear("refused")
    assert (refused["topic"], refused["code"]) == (name, "no_such_topic")


def test_what_one_cannot_see_is_not_found(live: LiveProcess, charlie: Person, run: Run) -> None:
    topics = [
        f"run:{run.id}",
        f"project:{run.project_id}",
        *(f"run:{run.id}/{tail}" for tail in ("log", "metrics", "progress")),
    ]
    with Ear(live, token=charlie.token) as ear:
        ear.subscribe(*topics)
        refused = {frame["topic"]: frame["code"] for frame in (ear.hear("refused") for _ in topics)}
    assert refused == dict.fromkeys(topics, "not_found")


def test_a_refused_topic_hinders_no_other(live: LiveProcess, alice: Person, run: Run) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{uuid4()}", f"run:{run.id}")
        assert ear.hear("refused")["code"] == "not_found"
        assert ear.hear("subscribed")["topic"] == f"run:{run.id}"


def test_a_socket_listens_to_a_hundred_topics(live: LiveProcess, alice: Person) -> None:
    names = [f"project:{make_project(alice, str(n)).id}" for n in range(101)]
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(*names)
        heard = [ear.hear("subscribed", "refused") for _ in names]
    assert [frame["frame"] for frame in heard].count("subscribed") == 100
    assert heard[-1]["code"] == "too_many"


def test_who_unsubscribes_hears_no_more(live: LiveProcess, bus, alice: Person, run: Run) -> None:
    topic, other = f"run:{run.id}", f"project:{run.project_id}"
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(topic, other)
        ear.hear("subscribed"), ear.hear("subscribed")
        ear.say("unsubscribe", topics=[topic])
        ear.subscribe(f"run:{uuid4()}")
        ear.hear("refused")
        tell_steps(bus, topic, 3)
        tell_steps(bus, other, 1)
        assert ear.hear("event")["topic"] == other
