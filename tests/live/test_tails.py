"""Log lines, metric points and progress: merged, and readable again."""

import time

import pytest
from sqlalchemy.dialects.postgresql import insert

from adapters.redis_bus import RedisBus
from domain.runs.progress import keep_progress
from models.metrics import MetricTail
from models.runs import Run
from models.session import transaction
from tests.live.listening import Ear, LiveProcess
from tests.live.telling import print_lines, write_lines
from tests.people import Person


def count_points(run: Run, ordinal: int) -> None:
    statement = insert(MetricTail).values(run_number=run.number, ordinal=ordinal)
    with transaction() as session:
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["run_number"], set_={"ordinal": ordinal}
            )
        )


def log_points(bus: RedisBus, run: Run, first: int, *values: float) -> None:
    last = first + len(values) - 1
    count_points(run, last)
    points = [["loss", first + n, 1_000, value] for n, value in enumerate(values)]
    bus.tail(f"run:{run.id}/metrics", first, last, points)


def texts(ear: Ear, until: str) -> list[str]:
    heard: list[str] = []
    while until not in heard:
        heard += [text for _, _, _, text in ear.hear("tail")["items"]]
    return heard


def test_a_log_is_replayed_and_followed(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    print_lines(bus, run.id, *(f"line {n}" for n in range(1, 1_501)))
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/log", after=0)
        first = ear.hear("tail")
        heard = [text for *_, text in first["items"]] + texts(ear, "line 1500")
        print_lines(bus, run.id, "the end")
        last = ear.hear("tail")
    assert heard == [f"line {n}" for n in range(1, 1_501)]
    assert first["items"][0] == [1, "stdout", 1_000, "line 1"]
    assert last == {
        "frame": "tail",
        "topic": f"run:{run.id}/log",
        "cursor": 1_501,
        "items": [[1_501, "stdout", 1_000, "the end"]],
    }


def test_lines_nobody_told_of_are_read_from_the_store(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/log")
        ear.hear("subscribed")
        write_lines(run.id, "one", "two")
        print_lines(bus, run.id, "three")
        assert texts(ear, "three") == ["one", "two", "three"]


def test_lines_are_merged_into_few_frames(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/log")
        ear.hear("subscribed")
        began = time.monotonic()
        for number in range(100):
            print_lines(bus, run.id, str(number))
        spent = time.monotonic() - began
        frames = []
        while not frames or frames[-1]["cursor"] < 100:
            frames.append(ear.hear("tail"))
    assert [text for frame in frames for *_, text in frame["items"]] == [str(n) for n in range(100)]
    assert len(frames) <= spent / 0.1 + 2


def test_points_arrive_with_their_ordinal(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/metrics")
        ear.hear("subscribed")
        log_points(bus, run, 1, 0.5, 0.25)
        tail = ear.hear("tail")
    assert tail["cursor"] == 2
    assert tail["items"] == [["loss", 1, 1_000, 0.5], ["loss", 2, 1_000, 0.25]]


def test_points_published_in_another_order_come_in_order(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/metrics")
        ear.hear("subscribed")
        bus.tail(f"run:{run.id}/metrics", 3, 3, [["loss", 3, 1, 3.0]])
        log_points(bus, run, 1, 1.0, 2.0)
        items = ear.hear("tail")["items"]
        while len(items) < 3:
            items += ear.hear("tail")["items"]
    assert [value for *_, value in items] == [1.0, 2.0, 3.0]


def test_points_are_replayed_while_the_stream_holds_them(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    for first in (1, 3, 5):
        log_points(bus, run, first, first, first + 1)
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/metrics", after=3)
        tail = ear.hear("tail", "reset")
    assert [value for *_, value in tail["items"]] == [4, 5, 6]


@pytest.mark.parametrize("after", [0, 9, 1_000])
def test_points_that_cannot_be_replayed_reset(
    live: LiveProcess, alice: Person, run: Run, after: int
) -> None:
    count_points(run, 10)
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/metrics", after=after)
        reset = ear.hear("reset")
    assert reset["seq"] == 10
    assert reset["snapshot_url"] == f"/api/v1/runs/{run.id}/metrics"


def test_points_that_were_lost_reset(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/metrics")
        ear.hear("subscribed")
        count_points(run, 5)
        assert ear.hear("reset")["seq"] == 5
        log_points(bus, run, 6, 0.5)
        assert ear.hear("tail")["cursor"] == 6


def test_progress_begins_with_what_is_known(
    live: LiveProcess, bus: RedisBus, alice: Person, run: Run
) -> None:
    with transaction() as session:
        keep_progress(session, run.id, {"step": 1})
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/progress")
        assert ear.hear("tail")["items"] == [{"step": 1}]
        for step in range(2, 20):
            bus.tail(f"run:{run.id}/progress", step, step, [{"step": step}])
        heard = [ear.hear("tail")]
        while heard[-1]["items"] != [{"step": 19}]:
            heard.append(ear.hear("tail"))
    assert all(len(frame["items"]) == 1 for frame in heard)
    assert [frame["cursor"] for frame in heard] == sorted({frame["cursor"] for frame in heard})


def test_progress_nobody_told_of_is_found(live: LiveProcess, alice: Person, run: Run) -> None:
    with Ear(live, token=alice.token) as ear:
        ear.subscribe(f"run:{run.id}/progress")
        ear.hear("subscribed")
        with transaction() as session:
            keep_progress(session, run.id, {"step": 7})
        assert ear.hear("tail")["items"] == [{"step": 7}]
