"""Only a whole, fresh access token of ours with a living session lets anybody in."""

import base64
import json
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask.testing import FlaskClient

from settings import settings
from tests.api.problems import problem
from tests.people import Person


def claims_of(person: Person, **changes: Any) -> dict[str, Any]:
    claims = jwt.decode(person.token, options={"verify_signature": False})
    claims.update(changes)
    return {name: value for name, value in claims.items() if value is not None}


def signed(claims: dict[str, Any], key: str | None = None, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key or settings().secret_key, algorithm=algorithm)


def refused(client: FlaskClient, credential: str, code: str | None = "token_refused") -> None:
    answer = client.get("/api/v1/me", headers={"Authorization": credential})
    problem(answer, 401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_the_helper_makes_good_tokens(client: FlaskClient, alice: Person) -> None:
    headers = {"Authorization": f"Bearer {signed(claims_of(alice))}"}
    assert client.get("/api/v1/me", headers=headers).status_code == 200


def test_an_expired_token_is_refused(client: FlaskClient, alice: Person) -> None:
    refused(client, f"Bearer {signed(claims_of(alice, exp=int(time.time()) - 1))}")


def test_a_token_not_valid_yet_is_refused(client: FlaskClient, alice: Person) -> None:
    refused(client, f"Bearer {signed(claims_of(alice, nbf=int(time.time()) + 60))}")


def test_a_forged_signature_is_refused(client: FlaskClient, alice: Person) -> None:
    refused(client, f"Bearer {signed(claims_of(alice), key='another secret ' * 4)}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused(client: FlaskClient, alice: Person, algorithm: str) -> None:
    refused(client, f"Bearer {signed(claims_of(alice), algorithm=algorithm)}")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_an_unsigned_token_is_refused(client: FlaskClient, alice: Person, algorithm: str) -> None:
    parts = ({"alg": algorithm, "typ": "JWT"}, claims_of(alice))
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    unsigned = b".".join(part.rstrip(b"=") for part in encoded).decode()
    refused(client, f"Bearer {unsigned}.")
    refused(client, f"Bearer {unsigned}.{alice.token.rpartition('.')[2]}")


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "type"])
def test_a_token_without_one_of_its_claims_is_refused(
    client: FlaskClient, alice: Person, claim: str
) -> None:
    refused(client, f"Bearer {signed(claims_of(alice, **{claim: None}))}")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"aud": "somebody"},
        {"type": "refresh"},
        {"sid": "no uuid"},
        {"sid": 7},
        {"sid": ["a"]},
        {"exp": "soon"},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_token_with_an_odd_claim_is_refused(
    client: FlaskClient, alice: Person, changes: dict[str, Any]
) -> None:
    refused(client, f"Bearer {signed(claims_of(alice, **changes))}")


def test_a_token_of_no_session_is_refused(client: FlaskClient, alice: Person) -> None:
    token = signed(claims_of(alice, sid=str(uuid4())))
    refused(client, f"Bearer {token}", "session_ended")


@pytest.mark.parametrize(
    "credential",
    [
        *("", "Bearer", "Bearer ", "Bearer a.b.c", "Bearer ..", "Bearer \xff\xfe"),
        *("Bearer ryk_", "Bearer ryr_unknown", "Bearer " + "a" * 7000),
        *("Basic", "Basic !!!", "Basic eDp5", "Digest username=x"),
    ],
)
def test_nonsense_is_refused(client: FlaskClient, credential: str) -> None:
    refused(client, credential, None)


def test_no_header_is_refused(client: FlaskClient) -> None:
    problem(client.get("/api/v1/me"), 401, "no_credential")


def test_a_token_in_the_address_is_not_looked_at(client: FlaskClient, alice: Person) -> None:
    problem(client.get(f"/api/v1/me?jwt={alice.token}"), 401, "no_credential")
