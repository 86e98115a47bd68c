"""A project of Alice's in which Bob edits and Victor looks, with an experiment and a run."""

import pytest

from models.experiments import Experiment
from models.projects import Project, ProjectRole
from models.runs import Run
from tests.factories import make_experiment, make_project, make_run
from tests.people import Person


@pytest.fixture
def project(alice: Person, bob: Person, victor: Person) -> Project:
    return make_project(alice, bob=(bob, ProjectRole.EDITOR), victor=(victor, ProjectRole.VIEWER))


@pytest.fixture
def experiment(alice: Person, project: Project) -> Experiment:
    return make_experiment(alice, project)


@pytest.fixture
def run(alice: Person, experiment: Experiment) -> Run:
    return make_run(alice, experiment)
