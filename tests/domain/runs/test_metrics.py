"""Points are kept once, in whatever order and however often they come."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy.orm import Session

from domain.access.policy import Actor, ActorKind
from domain.errors import Invalid
from domain.projects.commands import create_project
from domain.runs.histories import latest_of, metric_history, sampled_history
from domain.runs.metrics import Point, log_points
from models.accounts import User
from models.experiments import Experiment
from models.projects import ProjectRole
from models.runs import Run, RunOrigin, RunState
from models.session import engine

A_LITTLE = some.integers(-3, 3)
VALUES = some.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.5, -1.5])
POINTS = some.builds(Point, some.sampled_from("abc"), A_LITTLE, A_LITTLE, VALUES)


@pytest.fixture
def session(database: None) -> Iterator[Session]:
    with Session(engine(), expire_on_commit=False) as session, session.begin() as transaction:
        yield session
        transaction.rollback()


@pytest.fixture
def run(session: Session) -> Run:
    return new_run(session, add_owner(session))


def add_owner(session: Session) -> tuple[Actor, Experiment]:
    user = User(email="alice@example.com", name="Alice", password_hash="none")
    session.add(user)
    session.flush()
    project = create_project(session, Actor(ActorKind.USER, user.id), None, name="p")
    session.flush()
    experiment = Experiment(project_id=project.id, name="e", created_by_id=user.id)
    session.add(experiment)
    session.flush()
    owner = Actor(ActorKind.USER, user.id, projects={project.id: ProjectRole.OWNER})
    return owner, experiment


def new_run(session: Session, owned: tuple[Actor, Experiment]) -> Run:
    actor, experiment = owned
    run = Run(
        project_id=experiment.project_id,
        experiment_id=experiment.id,
        created_by_id=actor.user_id,
        name="r",
        origin=RunOrigin.RECORDED,
        state=RunState.RUNNING,
    )
    session.add(run)
    session.flush()
    return run


def log(session: Session, run: Run, *points: Point) -> int:
    return log_points(session, run.number, run.experiment_id, points)


def actor_of(run: Run) -> Actor:
    return Actor(ActorKind.USER, run.created_by_id, projects={run.project_id: ProjectRole.OWNER})


def rank(point: Point) -> tuple[float, ...]:
    is_nan = math.isnan(point.value)
    return (point.step, point.logged_ms, is_nan, 0.0 if is_nan else point.value)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batches=some.lists(some.lists(POINTS, max_size=8), max_size=5))
def test_the_latest_is_the_greatest_by_step_time_and_value(
    session: Session, batches: list[list[Point]]
) -> None:
    nested = session.begin_nested()
    run = new_run(session, add_owner(session))
    ordinal = 0
    for batch in batches:
        ordinal += len(batch)
        assert log(session, run, *batch) == ordinal
    points = [point for batch in batches for point in batch]
    expected = {
        key: rank(max((p for p in points if p.key == key), key=rank))
        for key in {point.key for point in points}
    }
    latest = latest_of(session, [run.number])[run.number]
    assert {point.key: rank(point) for point in latest} == expected
    for key in expected:
        history = metric_history(session, actor_of(run), run.id, key, limit=100)
        kept = [rank(Point(key, *place)) for place in history.points]
        assert kept == sorted({rank(point) for point in points if point.key == key})
    nested.rollback()


def test_a_name_whose_transaction_failed_is_learnt_again(session: Session, run: Run) -> None:
    for _ in range(2):
        nested = session.begin_nested()
        assert log(session, run, Point("fresh", 0, 0, 1.0)) == 1
        nested.rollback()
    assert log(session, run, Point("fresh", 0, 0, 1.0), Point("other", 0, 0, 1.0)) == 2


def test_a_page_goes_on_where_the_one_before_ended(session: Session, run: Run) -> None:
    log(session, run, *(Point("m", step, 7, float(step)) for step in range(25)))
    seen, after = [], None
    while True:
        page = metric_history(session, actor_of(run), run.id, "m", limit=10, after=after)
        seen += [place.step for place in page.points]
        if (after := page.more_after) is None:
            break
    assert seen == list(range(25))


def test_a_thinned_history_keeps_ends_and_spikes(session: Session, run: Run) -> None:
    values = [math.sin(step / 50) for step in range(5_000)]
    values[1234], values[4321], values[777] = 9.0, -4.0, math.nan
    log(session, run, *(Point("m", step, step, value) for step, value in enumerate(values)))
    thinned = sampled_history(session, actor_of(run), run.id, "m", most=200)
    steps = [place.step for place in thinned]
    assert len(thinned) <= 200
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, 4_999)
    assert {1234, 4321} <= set(steps)
    assert thinned == sampled_history(session, actor_of(run), run.id, "m", most=200)


@pytest.mark.parametrize("count", [0, 1, 3, 9, 10, 11, 12, 50])
def test_thinning_never_gives_more_than_asked_for(session: Session, run: Run, count: int) -> None:
    log(session, run, *(Point("m", 0, ms, float(ms % 5)) for ms in range(count)))
    thinned = sampled_history(session, actor_of(run), run.id, "m", most=10)
    assert len(thinned) == count if count <= 10 else 2 <= len(thinned) <= 10
    assert [place.logged_ms for place in thinned] == sorted(place.logged_ms for place in thinned)


def test_a_chart_of_two_points_is_none(session: Session, run: Run) -> None:
    with pytest.raises(Invalid, match="at least"):
        sampled_history(session, actor_of(run), run.id, "m", most=2)


def test_a_stretch_of_nothing_but_nan_shows(session: Session, run: Run) -> None:
    log(session, run, *(Point("m", step, 0, math.nan) for step in range(100)))
    thinned = sampled_history(session, actor_of(run), run.id, "m", most=10)
    assert len(thinned) >= 4
    assert all(math.isnan(place.value) for place in thinned)
