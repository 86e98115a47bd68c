"""The whole house, running, and what a person does in it."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from domain.runs.commands import request_stop
from models.runs import Attempt, Desire, Run
from models.session import transaction
from tests.people import Person
from tests.processes.bench import Bench
from tests.processes.stack import Stack, eventually


@pytest.fixture(scope="session")
def _stack(servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.stop()


@pytest.fixture
def stack(_stack: Stack, database: None) -> Iterator[Stack]:
    """Every process up, and no run left when the test is over."""
    _stack.revive()
    yield _stack
    _stack.revive()
    _end_all_runs()


@pytest.fixture
def bench(stack: Stack, alice: Person) -> Bench:
    project = alice.post("/projects", {"name": f"journey {time.time()}"}).json["id"]
    experiment = alice.post(f"/projects/{project}/experiments", {"name": "e"}).json["id"]
    return Bench(alice, stack, project, experiment)


def _end_all_runs() -> None:
    with transaction() as session:
        carried = session.scalars(
            select(Run)
            .join(Attempt, Attempt.run_id == Run.id)
            .where(Attempt.outcome.is_(None), Run.desire == Desire.RUN)
        )
        for run in carried:
            request_stop(session, run, reason="test", grace_seconds=0)
    eventually(lambda: not _live_attempts(), within=30)


def _live_attempts() -> bool:
    with transaction() as session:
        return session.scalar(select(Attempt.id).where(Attempt.outcome.is_(None))) is not None
