"""Things to test with, made through the domain as people would make them."""

from typing import Any
from uuid import UUID

from domain.experiments.commands import create_experiment
from domain.projects.commands import create_project
from domain.runs import attempts
from domain.runs.commands import create_run, start_run
from models.experiments import Experiment
from models.projects import Membership, Project, ProjectRole
from models.runs import Run
from models.session import transaction
from tests.people import Person

HELLO = {"script": {"text": "print('hello')"}}


def make_project(
    owner: Person, name: str = "digits", **members: tuple[Person, ProjectRole]
) -> Project:
    with transaction() as session:
        project = create_project(session, owner.actor, None, name=name)
        for person, role in members.values():
            session.add(Membership(project_id=project.id, user_id=person.user_id, role=role))
    return project


def make_experiment(owner: Person, project: Project, name: str = "rates") -> Experiment:
    with transaction() as session:
        return create_experiment(session, owner.actor, project, name=name)


def make_run(owner: Person, experiment: Experiment, name: str = "run", spec: Any = None) -> Run:
    with transaction() as session:
        return create_run(session, owner.actor, experiment, name=name, spec=spec or HELLO)


def start(owner: Person, run_id: UUID) -> None:
    with transaction() as session:
        start_run(session, owner.actor, session.get_one(Run, run_id))


def begin_attempt(owner: Person, run: Run) -> attempts.Begun:
    """A started run whose attempt this process holds."""
    start(owner, run.id)
    with transaction() as session:
        begun = attempts.begin(session, session.get_one(Run, run.id))
    assert begun is not None
    return begun


def note_running(begun: attempts.Begun, pid: int = 1) -> None:
    with transaction() as session:
        attempts.note_running(session, begun.attempt.id, pid=pid, runtime="test")
