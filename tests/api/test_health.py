"""Whether the process lives, and whether it can accept work."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from tests.api.problems import problem


def test_a_process_that_answers_is_alive(client: FlaskClient) -> None:
    assert client.get("/livez").json == {"status": "alive", "process": "runyard"}


def test_a_migrated_database_makes_it_ready(client: FlaskClient) -> None:
    assert client.get("/readyz").json == {"status": "ready"}


def test_without_a_database_it_is_not_ready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("select 1", {}, Exception("connection refused"))

    monkeypatch.setattr("api.health.transaction", fail)
    problem(client.get("/readyz"), 503, "not_ready")
    assert client.get("/livez").status_code == 200
