"""Reading what a run's script measured."""

import math

import pytest

from domain.runs.metrics import Point, log_points
from models.runs import Run
from models.session import transaction
from tests.api.problems import problem
from tests.people import Person


def log(run: Run, *points: Point) -> None:
    with transaction() as session:
        log_points(session, run.number, run.experiment_id, points)


def test_the_latest_point_of_each_metric_is_read(victor: Person, run: Run) -> None:
    log(run, Point("loss", 1, 10, 0.5), Point("loss", 2, 20, 0.25), Point("acc", 1, 10, 0.9))
    assert victor.get(f"/runs/{run.id}/metrics").json["items"] == [
        {"key": "acc", "step": 1, "ms": 10, "value": 0.9},
        {"key": "loss", "step": 2, "ms": 20, "value": 0.25},
    ]


def test_a_history_is_read_by_step(victor: Person, run: Run) -> None:
    log(run, *(Point("loss", step, step, 1 / step) for step in (3, 1, 2)))
    history = victor.get(f"/runs/{run.id}/metrics/history?key=loss").json["items"]
    assert [point["step"] for point in history] == [1, 2, 3]


def test_a_long_history_keeps_its_ends_and_its_spike(victor: Person, run: Run) -> None:
    values = [9.0 if step == 777 else 0.1 for step in range(2_000)]
    log(run, *(Point("loss", step, step, value) for step, value in enumerate(values)))
    history = victor.get(f"/runs/{run.id}/metrics/history?key=loss&points=50").json["items"]
    assert len(history) <= 50
    assert (history[0]["step"], history[-1]["step"]) == (0, 1_999)
    assert 777 in [point["step"] for point in history]


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_what_is_no_number_is_given_as_text(
    victor: Person, run: Run, value: float, text: str
) -> None:
    log(run, Point("loss", 1, 10, value))
    (point,) = victor.get(f"/runs/{run.id}/metrics").json["items"]
    assert point["value"] == text


def test_an_unknown_metric_has_no_points(victor: Person, run: Run) -> None:
    assert victor.get(f"/runs/{run.id}/metrics/history?key=loss").json == {"items": []}


@pytest.mark.parametrize("query", ["", "key=loss&points=9", "key=loss&points=5001"])
def test_an_odd_question_is_refused(victor: Person, run: Run, query: str) -> None:
    problem(victor.get(f"/runs/{run.id}/metrics/history?{query}"), 422, "invalid")


def test_a_stranger_reads_no_metrics(charlie: Person, run: Run) -> None:
    problem(charlie.get(f"/runs/{run.id}/metrics"), 404, "not_found")
    problem(charlie.get(f"/runs/{run.id}/metrics/history?key=loss"), 404, "not_found")
