"""Browsers on the origins named in the settings may call, no others."""

from collections.abc import Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from msgspec.structs import replace
from werkzeug.test import TestResponse

from api.app import create_app
from settings import settings
from tests.people import Person

FRONTEND = "http://frontend.test"
ELSEWHERE = [
    "http://evil.test",
    "https://frontend.test",
    "http://frontend.test:8080",
    "http://frontend.test.evil.test",
    "http://xfrontend.test",
    "http://frontendxtest",
    "null",
]


def preflight(client: FlaskClient, origin: str, method: str = "PATCH") -> TestResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, if-match, idempotency-key",
    }
    return client.options("/api/v1/projects", headers=headers)


def words(headers: Mapping[str, str], name: str) -> set[str]:
    return {word.strip().lower() for word in headers[name].split(",")}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_preflight_needs_no_sign_in(client: FlaskClient, method: str) -> None:
    answer = preflight(client, FRONTEND, method)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == FRONTEND
    assert method.lower() in words(answer.headers, "Access-Control-Allow-Methods")
    assert words(answer.headers, "Access-Control-Allow-Headers") == {
        "authorization",
        "content-type",
        "if-match",
        "idempotency-key",
    }


def test_the_page_may_read_our_headers(alice: Person) -> None:
    answer = alice.get("/me", headers={"Origin": FRONTEND})
    assert answer.headers["Access-Control-Allow-Origin"] == FRONTEND
    assert words(answer.headers, "Access-Control-Expose-Headers") >= {
        "etag",
        "location",
        "x-request-id",
        "retry-after",
        "content-disposition",
    }


def test_the_page_may_read_refusals_too(client: FlaskClient) -> None:
    answer = client.get("/api/v1/me", headers={"Origin": FRONTEND})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == FRONTEND


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_pages_of_other_origins_may_not_call(client: FlaskClient, origin: str) -> None:
    for answer in (preflight(client, origin), client.get("/livez", headers={"Origin": origin})):
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.fixture
def closed(app: Flask) -> FlaskClient:
    """An installation that names no origins."""
    return create_app(replace(settings(), allowed_origins="")).test_client()


def test_by_default_no_page_may_call(closed: FlaskClient) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(closed, FRONTEND).headers
