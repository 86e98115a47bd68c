"""Who may write to a run: every write asks again whether its attempt is live."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.access.credentials import KeyRefused, actor_of_token
from domain.access.policy import Actor
from domain.runs import attempts, logging, recording, storing
from domain.runs.attempts import Begun, Ending
from domain.runs.binding import Opening
from domain.runs.fence import Deleted
from domain.runs.histories import latest_of
from domain.runs.located import LocatedRun, find_run_even_deleted, locate_run
from domain.runs.logging import ParameterSet
from domain.runs.metrics import Point
from models.audit import AuditEntry
from models.experiments import Experiment
from models.runs import Outcome, Run, RunState, RunTransition
from models.session import transaction
from tests.factories import begin_attempt, make_experiment, make_project, make_run, note_running
from tests.people import Person


@pytest.fixture
def experiment(alice: Person) -> Experiment:
    return make_experiment(alice, make_project(alice))


@pytest.fixture
def begun(alice: Person, experiment: Experiment) -> Begun:
    begun = begin_attempt(alice, make_run(alice, experiment))
    note_running(begun)
    return begun


@pytest.fixture
def script(begun: Begun) -> Actor:
    """The actor behind the attempt's token, found while it was live."""
    with transaction() as session:
        return actor_of_token(session, begun.token)


Write = Callable[[Session, Actor, LocatedRun], object]
WRITES: dict[str, Write] = {
    "metrics": lambda s, a, r: logging.log(s, a, r, points=[Point("loss", 0, 0, 1.0)]),
    "params": lambda s, a, r: logging.log(s, a, r, params={"p": "1"}),
    "tags": lambda s, a, r: logging.log(s, a, r, tags={"t": "1"}),
    "delete_tag": lambda s, a, r: logging.delete_tag(s, a, r, tag="t"),
    "follow": lambda s, a, r: recording.follow_run(s, a, s.get_one(Run, r.id), name="x"),
    "artifact": lambda s, a, r: storing.admit_artifact(s, a, s.get_one(Run, r.id), path="x"),
    "remove": lambda s, a, r: storing.remove_artifact(s, a, s.get_one(Run, r.id), path="x"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_after_the_attempt_ended_is_refused(
    begun: Begun, script: Actor, write: Write
) -> None:
    with transaction() as session:
        attempts.settle(session, begun.attempt.id, Ending(Outcome.LOST))
    before = stored(begun)
    with pytest.raises(KeyRefused), transaction() as session:
        write(session, script, locate_run(session, script, begun.attempt.run_id))
    after = stored(begun)
    assert (before.params, before.tags, before.updated_at) == (
        after.params,
        after.tags,
        after.updated_at,
    )
    with transaction() as session:
        assert latest_of(session, [after.number]) == {}


def stored(begun: Begun) -> Run:
    with transaction() as session:
        return session.get_one(Run, begun.attempt.run_id)


@pytest.mark.parametrize("write", list(WRITES.values())[:4], ids=list(WRITES)[:4])
def test_a_deleted_run_is_not_written_to(
    alice: Person, experiment: Experiment, write: Write
) -> None:
    run = make_run(alice, experiment)
    with transaction() as session:
        session.get_one(Run, run.id).deleted_at = datetime.now(UTC)
    with pytest.raises(Deleted), transaction() as session:
        write(session, alice.actor, locate_run(session, alice.actor, run.id))


def test_no_run_is_opened_by_an_attempt_that_ended(
    begun: Begun, script: Actor, experiment: Experiment
) -> None:
    with transaction() as session:
        attempts.settle(session, begun.attempt.id, Ending(Outcome.LOST))
    for opening in (Opening("x", {}), Opening("x", {}, parent_id=script.run_id)):
        with pytest.raises(KeyRefused), transaction() as session:
            recording.open_run(session, script, experiment, opening)


def test_a_refused_parameter_leaves_nothing_of_its_batch(
    alice: Person, experiment: Experiment
) -> None:
    run = make_run(alice, experiment)
    log(alice, run, params={"lr": "0.1"})
    with pytest.raises(ParameterSet):
        log(alice, run, params={"lr": "0.2", "new": "1"}, points=[Point("m", 0, 0, 1.0)])
    with transaction() as session:
        kept = session.get_one(Run, run.id)
        assert kept.params == {"lr": "0.1"}
        assert latest_of(session, [kept.number]) == {}


def log(person: Person, run: Run, **what: object) -> None:
    with transaction() as session:
        logging.log(session, person.actor, locate_run(session, person.actor, run.id), **what)  # type: ignore[arg-type]


def test_of_two_values_for_one_parameter_one_wins(alice: Person, experiment: Experiment) -> None:
    run, actor = make_run(alice, experiment), alice.actor
    for round in range(10):
        name = f"p{round}"

        def set_to(value: int, name: str = name) -> str | None:
            try:
                with transaction() as session:
                    located = locate_run(session, actor, run.id)
                    logging.log(session, actor, located, params={name: str(value)})
            except ParameterSet:
                return None
            return str(value)

        with ThreadPoolExecutor(8) as threads:
            winners = [value for value in threads.map(set_to, range(8)) if value is not None]
        with transaction() as session:
            assert [session.get_one(Run, run.id).params[name]] == winners


def test_new_names_may_be_heard_of_in_any_order_at_once(
    alice: Person, experiment: Experiment
) -> None:
    actor = alice.actor
    runs = [make_run(alice, experiment, f"run {n}") for n in range(8)]
    names = [f"name {n}" for n in range(50)]

    def log_all(place: int) -> int | None:
        order = names if place % 2 else names[::-1]
        with transaction() as session:
            located = locate_run(session, actor, runs[place].id)
            points = [Point(name, 0, 0, 1.0) for name in order]
            return logging.log(session, actor, located, points=points)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(log_all, range(8))) == [50] * 8


def test_a_recorded_run_goes_where_its_client_says(alice: Person, experiment: Experiment) -> None:
    ended = datetime(2026, 1, 2, tzinfo=UTC)
    with transaction() as session:
        run = recording.open_run(session, alice.actor, experiment, Opening("r", {}))
    for state in (RunState.FAILED, RunState.RUNNING, RunState.SUCCEEDED, RunState.STOPPED):
        with transaction() as session:
            found = find_run_even_deleted(session, alice.actor, run.id, lock=True)
            recording.follow_run(session, alice.actor, found, state=state, ended_at=ended)
            assert found.ended_at == (ended if found.is_over else None)
    with transaction() as session:
        moves = session.scalars(
            select(RunTransition).where(RunTransition.run_id == run.id).order_by(RunTransition.id)
        ).all()
    after = [move.after.value for move in moves]
    assert after == ["running", "failed", "running", "succeeded", "stopped"]


def test_logging_leaves_no_line_in_the_audit(alice: Person, experiment: Experiment) -> None:
    run = make_run(alice, experiment)
    with transaction() as session:
        before = session.scalar(select(func.count()).select_from(AuditEntry))
    log(alice, run, points=[Point("m", 0, 0, 1.0)], tags={"t": "1"})
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == before


def test_a_tag_set_meanwhile_is_noticed_by_editors(alice: Person, experiment: Experiment) -> None:
    run = make_run(alice, experiment)
    log(alice, run, tags={"t": "1"})
    log(alice, run, points=[Point("m", 0, 0, 1.0)], params={"p": "1"})
    with transaction() as session:
        assert session.get_one(Run, run.id).version == run.version + 1
