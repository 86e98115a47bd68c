"""Personal keys: shown once, listed without their secret, ended at once."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from domain.clock import in_seconds
from models.accounts import ApiKey, User
from models.projects import Project
from models.session import transaction
from tests.api.problems import problem
from tests.people import Person


@pytest.fixture
def made(alice: Person) -> dict[str, Any]:
    """A key of Alice's as the API shows it when it is made."""
    answer = alice.post("/api-keys", {"name": "laptop", "days": 30})
    assert answer.status_code == 201
    body: dict[str, Any] = answer.json
    return body


def call(client: FlaskClient, key: str, method: str, path: str, json: Any = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {key}"}
    return client.open(f"/api/v1{path}", method=method, headers=headers, json=json)


def test_a_key_acts_as_its_person(client: FlaskClient, alice: Person, made: dict[str, Any]) -> None:
    me = call(client, made["token"], "GET", "/me")
    assert me.json["id"] == str(alice.user_id)


def test_a_key_also_works_as_a_basic_password(client: FlaskClient, made: dict[str, Any]) -> None:
    assert client.get("/api/v1/me", auth=("anybody", made["token"])).status_code == 200


def test_the_secret_is_shown_once(alice: Person, made: dict[str, Any]) -> None:
    listed = alice.get("/api-keys")
    assert made["token"] not in listed.get_data(as_text=True)
    assert [key["id"] for key in listed.json["items"]] == [made["key"]["id"]]
    assert made["token"].startswith(listed.json["items"][0]["hint"])


def test_use_is_noted(client: FlaskClient, alice: Person, made: dict[str, Any]) -> None:
    assert made["key"]["last_used_at"] is None
    call(client, made["token"], "GET", "/me")
    assert alice.get("/api-keys").json["items"][0]["last_used_at"]


def test_revoking_ends_a_key_at_once(
    client: FlaskClient, alice: Person, made: dict[str, Any]
) -> None:
    assert alice.delete(f"/api-keys/{made['key']['id']}").status_code == 204
    problem(call(client, made["token"], "GET", "/me"), 401, "key_refused")
    assert alice.get("/api-keys").json["items"] == []


def test_a_key_is_revoked_once(alice: Person, made: dict[str, Any]) -> None:
    alice.delete(f"/api-keys/{made['key']['id']}")
    problem(alice.delete(f"/api-keys/{made['key']['id']}"), 404, "not_found")


def test_nobody_else_sees_or_revokes_a_key(
    alice: Person, bob: Person, ada: Person, made: dict[str, Any]
) -> None:
    for person in (bob, ada):
        assert person.get("/api-keys").json["items"] == []
        problem(person.delete(f"/api-keys/{made['key']['id']}"), 404, "not_found")


def test_an_unknown_key_is_not_found(alice: Person) -> None:
    problem(alice.delete(f"/api-keys/{uuid4()}"), 404, "not_found")


def test_an_expired_key_is_refused(client: FlaskClient, made: dict[str, Any]) -> None:
    with transaction() as session:
        session.execute(update(ApiKey).values(expires_at=in_seconds(-1)))
    problem(call(client, made["token"], "GET", "/me"), 401, "key_refused")


def test_the_key_of_a_deactivated_person_is_refused(
    client: FlaskClient, alice: Person, made: dict[str, Any]
) -> None:
    with transaction() as session:
        session.execute(update(User).where(User.id == alice.user_id).values(is_active=False))
    problem(call(client, made["token"], "GET", "/me"), 401, "key_refused")


def test_a_key_makes_no_further_keys(client: FlaskClient, made: dict[str, Any]) -> None:
    problem(call(client, made["token"], "POST", "/api-keys", {"name": "more"}), 403, "forbidden")


def test_a_key_cannot_sign_out(client: FlaskClient, made: dict[str, Any]) -> None:
    problem(call(client, made["token"], "POST", "/sign-out"), 403, "forbidden")


def test_an_owners_key_does_not_change_members(
    client: FlaskClient, bob: Person, project: Project, made: dict[str, Any]
) -> None:
    path = f"/projects/{project.id}/members"
    given = {"email": bob.email, "role": "viewer"}
    problem(call(client, made["token"], "PUT", path, given), 403, "forbidden")
    problem(call(client, made["token"], "DELETE", f"{path}?email={bob.email}"), 403, "forbidden")


@pytest.mark.parametrize("days", [0, 366, -1, 1e30, "many", None])
def test_a_key_lives_between_a_day_and_a_year(alice: Person, days: object) -> None:
    problem(alice.post("/api-keys", {"name": "k", "days": days}), 422, "invalid", "/days")
