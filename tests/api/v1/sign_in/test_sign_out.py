"""Ending a session acts on the very next call."""

from sqlalchemy import update

from models.accounts import User
from models.session import transaction
from tests.api.problems import problem
from tests.people import Person


def test_signing_out_ends_access_at_once(alice: Person) -> None:
    assert alice.post("/sign-out").status_code == 204
    problem(alice.get("/me"), 401, "session_ended")


def test_signing_out_leaves_others_signed_in(alice: Person, bob: Person) -> None:
    alice.post("/sign-out")
    assert bob.get("/me").status_code == 200


def test_deactivating_a_person_ends_access_at_once(alice: Person) -> None:
    with transaction() as session:
        session.execute(update(User).where(User.id == alice.user_id).values(is_active=False))
    problem(alice.get("/me"), 401, "session_ended")
