"""Signing in with a password."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from domain.accounts.passwords import hashed
from models.accounts import User
from models.session import transaction
from tests.api.problems import problem
from tests.people import PASSWORD


@pytest.fixture
def dora(client: FlaskClient) -> Iterator[User]:
    """Somebody with a password."""
    with transaction() as session:
        user = User(email="dora@example.com", name="Dora", password_hash=hashed(PASSWORD))
        session.add(user)
    return user


def sign_in(client: FlaskClient, email: str, password: str) -> TestResponse:
    return client.post("/api/v1/sign-in", json={"email": email, "password": password})


def test_a_password_opens_a_session(client: FlaskClient, dora: User) -> None:
    tokens = sign_in(client, dora.email, PASSWORD).json
    me = client.get("/api/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.json["id"] == str(dora.id)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 600


def test_the_address_may_be_written_in_capitals(client: FlaskClient, dora: User) -> None:
    assert sign_in(client, "Dora@Example.COM", PASSWORD).status_code == 200


def test_the_answer_does_not_tell_what_was_wrong(client: FlaskClient, dora: User) -> None:
    with transaction() as session:
        session.add(User(email="gone@example.com", name="Gone", password_hash=dora.password_hash))
        session.flush()
        session.query(User).filter_by(email="gone@example.com").update({"is_active": False})
    refusals = [
        sign_in(client, dora.email, "wrong horse battery"),
        sign_in(client, "nobody@example.com", PASSWORD),
        sign_in(client, "gone@example.com", PASSWORD),
    ]
    bodies = [problem(answer, 401, "wrong_credentials") for answer in refusals]
    for body in bodies:
        del body["request_id"]
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_refusal_names_the_scheme(client: FlaskClient) -> None:
    answer = sign_in(client, "nobody@example.com", PASSWORD)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_bad_credential_in_the_header_does_not_keep_one_from_signing_in(
    client: FlaskClient, dora: User
) -> None:
    answer = client.post(
        "/api/v1/sign-in",
        json={"email": dora.email, "password": PASSWORD},
        headers={"Authorization": "Bearer stale"},
    )
    assert answer.status_code == 200


def test_the_oldest_of_too_many_sessions_ends(client: FlaskClient, dora: User) -> None:
    tokens = [sign_in(client, dora.email, PASSWORD).json["access_token"] for _ in range(21)]
    statuses = [
        client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code
        for token in (tokens[0], tokens[1], tokens[-1])
    ]
    assert statuses == [401, 200, 200]
