"""Refresh tokens are spent on use; one that comes back ends its session."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from domain.accounts.passwords import hashed
from domain.accounts.sessions import sign_in
from domain.clock import in_seconds
from models.accounts import RefreshToken, User, UserSession
from models.session import transaction
from tests.api.problems import problem
from tests.people import PASSWORD


@pytest.fixture
def first_token(client: FlaskClient) -> str:
    with transaction() as session:
        session.add(User(email="dora@example.com", name="D", password_hash=hashed(PASSWORD)))
        session.flush()
        return sign_in(session, email="dora@example.com", password=PASSWORD).refresh_token


def refresh(client: FlaskClient, token: str) -> TestResponse:
    return client.post("/api/v1/sign-in/refresh", json={"refresh_token": token})


def status_with(client: FlaskClient, access_token: str) -> int:
    headers = {"Authorization": f"Bearer {access_token}"}
    return client.get("/api/v1/me", headers=headers).status_code


def test_a_refresh_token_is_exchanged_for_new_ones(client: FlaskClient, first_token: str) -> None:
    tokens = refresh(client, first_token).json
    assert tokens["refresh_token"] != first_token
    assert status_with(client, tokens["access_token"]) == 200
    assert refresh(client, tokens["refresh_token"]).status_code == 200


def test_using_one_twice_ends_the_whole_session(client: FlaskClient, first_token: str) -> None:
    tokens = refresh(client, first_token).json
    problem(refresh(client, first_token), 401, "refresh_refused")
    assert status_with(client, tokens["access_token"]) == 401
    problem(refresh(client, tokens["refresh_token"]), 401, "refresh_refused")


def test_of_two_uses_at_once_one_succeeds(client: FlaskClient, first_token: str) -> None:
    app = client.application
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda _: refresh(app.test_client(), first_token), range(2))
        assert sorted(answer.status_code for answer in answers) == [200, 401]


@pytest.mark.parametrize("token", ["ryf_unknown", "", "x" * 300])
def test_an_unknown_token_is_refused(client: FlaskClient, token: str) -> None:
    assert refresh(client, token).status_code in (401, 422)


def test_an_idle_session_cannot_be_continued(client: FlaskClient, first_token: str) -> None:
    with transaction() as session:
        session.execute(update(RefreshToken).values(expires_at=in_seconds(-1)))
    problem(refresh(client, first_token), 401, "refresh_refused")


def test_no_session_lives_longer_than_its_limit(client: FlaskClient, first_token: str) -> None:
    with transaction() as session:
        session.execute(update(UserSession).values(expires_at=in_seconds(-1)))
    problem(refresh(client, first_token), 401, "refresh_refused")


def test_no_secret_is_kept(client: FlaskClient, first_token: str) -> None:
    with transaction() as session:
        kept = session.query(RefreshToken).one()
    assert first_token.encode() not in kept.digest
