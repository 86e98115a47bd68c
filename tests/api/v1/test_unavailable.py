"""When PostgreSQL does not answer in time, the client is asked to come again."""

import pytest
from sqlalchemy import select

from models.runs import Run
from models.session import transaction
from tests.api.problems import problem
from tests.people import Person


@pytest.mark.slow
def test_a_row_held_too_long_is_no_fault_of_the_client(alice: Person, run: Run) -> None:
    with transaction() as session:
        session.scalars(select(Run).where(Run.id == run.id).with_for_update()).one()
        answer = alice.patch(f"/runs/{run.id}", {"name": "late"})
    problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert alice.get(f"/runs/{run.id}").json["name"] == run.name
