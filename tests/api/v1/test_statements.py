"""Lists cost the same number of statements however long they are."""

import pytest

from domain.intents import commands as intents
from domain.jobs import Job
from domain.runs.metrics import Point, log_points
from models.exports import Export
from models.projects import Membership, ProjectRole
from models.runs import Run, Source
from models.session import transaction
from tests.factories import make_experiment, make_project, make_run
from tests.people import Person, sign_in_as

LISTS = {
    "/projects": 2,
    "/projects/{project}/members": 3,
    "/projects/{project}/experiments": 3,
    "/projects/{project}/runs": 3,
    "/projects/{project}/sources": 3,
    "/projects/{project}/exports": 3,
    "/projects/{project}/intents": 3,
    "/projects/{project}/events": 4,
    "/experiments/{experiment}/runs": 3,
    "/runs/{run}/metrics": 3,
    "/runs/{run}/transitions": 3,
    "/runs/{run}/attempts": 3,
    "/runs/{run}/events": 4,
}


def grow(alice: Person, run: Run, round_: int) -> None:
    """Three more of everything that is listed."""
    person = sign_in_as(alice.client, f"Guest{round_}")
    with transaction() as session:
        session.add(
            Membership(project_id=run.project_id, user_id=person.user_id, role=ProjectRole.VIEWER)
        )
        for number in range(3):
            project_id, owner_id = run.project_id, alice.user_id
            details = {"name": "x", "size": 1, "sha256": "0" * 64, "project_id": project_id}
            session.add(Source(kind="zip", files=[], created_by_id=owner_id, **details))
            intent = intents.file_for(session, owner_id, Job.RUN_EXPORT, run)
            session.add(Export(run_id=run.id, intent_id=intent.id, path="x", **details))
            point = Point(f"m{round_}{number}", 1, 1, 0.5)
            log_points(session, run.number, run.experiment_id, [point])
    for number in range(3):
        project = make_project(alice, f"p{round_}{number}")
        make_run(alice, make_experiment(alice, project), f"r{number}")
    with transaction() as session:
        for number in range(3):
            run_ = Run(
                project_id=run.project_id,
                experiment_id=run.experiment_id,
                created_by_id=alice.user_id,
                name=f"r{number}",
            )
            session.add(run_)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_however_long_it_is(
    alice: Person, run: Run, statements: list[str], path: str
) -> None:
    address = path.format(project=run.project_id, experiment=run.experiment_id, run=run.id)
    counts = []
    for round_ in range(2):
        grow(alice, run, round_)
        statements.clear()
        assert alice.get(address).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= LISTS[path]
