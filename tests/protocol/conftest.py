"""A real server in front of a real database, and MLflow's own client in front of that."""

import os
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import requests
from flask import Flask
from mlflow import MlflowClient
from werkzeug.serving import make_server

from domain.access.policy import Actor, ActorKind
from domain.accounts.api_keys import issue_api_key
from domain.projects.commands import create_project
from domain.runs import attempts
from domain.runs.commands import create_run, start_run
from models.accounts import User
from models.experiments import Experiment
from models.projects import Membership, ProjectRole
from models.runs import Run
from models.session import transaction

API = "/api/2.0/mlflow"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@dataclass
class Caller:
    """Somebody with a credential: their raw calls, and their MLflow client."""

    base: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})}
        return self.session.request(method, self.base + path, headers=headers, **kwargs)

    def get(self, endpoint: str, **query: Any) -> requests.Response:
        return self.call("GET", f"{API}/{endpoint}", params=query)

    def post(self, endpoint: str, body: Any) -> requests.Response:
        return self.call("POST", f"{API}/{endpoint}", json=body)

    def act(self, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
        """Become this caller for the MLflow library."""
        monkeypatch.setenv("MLFLOW_TRACKING_URI", self.base)
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", self.token)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        return MlflowClient(tracking_uri=self.base)


@dataclass
class Bound:
    """A managed run under way, and the token its script speaks with."""

    run_id: UUID
    attempt_id: UUID
    experiment_number: int
    token: str


@dataclass
class House:
    """Alice's project with Bob as editor and Victor as viewer; Charlie has one of his own."""

    base: str
    alice: Caller
    bob: Caller
    victor: Caller
    charlie: Caller
    alice_id: UUID
    project_id: UUID

    def begin_run(self) -> Bound:
        """A run of Alice's whose training process is under way."""
        with transaction() as session:
            alice = Actor(
                ActorKind.USER, self.alice_id, projects={self.project_id: ProjectRole.OWNER}
            )
            experiment = Experiment(
                project_id=self.project_id,
                name=f"managed-{secrets.token_hex(4)}",
                created_by_id=self.alice_id,
            )
            session.add(experiment)
            session.flush()
            run = create_run(
                session, alice, experiment, name="churn", spec={"script": {"text": "pass"}}
            )
            start_run(session, alice, run)
            begun = attempts.begin(session, run)
            assert begun is not None
            attempts.note_running(session, begun.attempt.id, pid=1, runtime="none")
            return Bound(run.id, begun.attempt.id, experiment.number, begun.token)

    def bound_caller(self, bound: Bound) -> Caller:
        return Caller(self.base, bound.token)

    def stored(self, run_id: UUID) -> Run:
        with transaction() as session:
            return session.get_one(Run, run_id)


@pytest.fixture(scope="session")
def address(_application: Flask) -> Iterator[str]:
    """Where the application answers, over HTTP."""
    server = make_server("127.0.0.1", 0, _application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def house(address: str, app: Flask) -> House:
    with transaction() as session:
        people = [_person(session, name) for name in ("alice", "bob", "victor", "charlie")]
        (alice, _), (bob, _), (victor, _), (charlie, _) = people
        owner = Actor(ActorKind.USER, alice.id)
        project = create_project(session, owner, None, name="churn")
        for member, role in ((bob, ProjectRole.EDITOR), (victor, ProjectRole.VIEWER)):
            session.add(Membership(project_id=project.id, user_id=member.id, role=role))
        create_project(session, Actor(ActorKind.USER, charlie.id), None, name="elsewhere")
        tokens = [token for _, token in people]
    callers = [Caller(address, token) for token in tokens]
    return House(address, *callers, alice_id=alice.id, project_id=project.id)


@pytest.fixture
def mlflow(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The library, fluent interface and all, acting as Alice."""
    import mlflow
    from mlflow.tracking import fluent

    house.alice.act(monkeypatch)
    monkeypatch.setattr(fluent, "_active_experiment_id", None)
    yield mlflow
    while mlflow.active_run():
        mlflow.end_run()
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)  # set_experiment leaves it behind


def _person(session: Any, name: str) -> tuple[User, str]:
    user = User(email=f"{name}@example.com", name=name.title(), password_hash="none")
    session.add(user)
    session.flush()
    return user, issue_api_key(session, user.id, name="tests", seconds=3600).token
