"""Alice owns, Bob edits, Victor only looks, Charlie is a stranger; Ada runs the place."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.identity import access_tokens
from domain.access.credentials import actor_of_session
from domain.access.policy import Actor
from domain.clock import in_seconds, now
from models.accounts import PlatformRole, User, UserSession
from models.session import transaction

PASSWORD = "correct horse battery"


@dataclass
class Person:
    """Somebody signed in, with a client that sends their token."""

    client: FlaskClient
    user_id: UUID
    session_id: UUID
    email: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def actor(self) -> Actor:
        with transaction() as session:
            return actor_of_session(session, self.session_id)

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {**self.headers, **kwargs.pop("headers", {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        return self.call("POST", path, json=json if json is not None else {}, **kwargs)

    def patch(self, path: str, json: Any, **kwargs: Any) -> TestResponse:
        headers = {"If-Match": "*", **kwargs.pop("headers", {})}
        return self.call("PATCH", path, json=json, headers=headers, **kwargs)

    def put(self, path: str, json: Any, **kwargs: Any) -> TestResponse:
        return self.call("PUT", path, json=json, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("DELETE", path, **kwargs)


def sign_in_as(client: FlaskClient, name: str, role: PlatformRole = PlatformRole.USER) -> Person:
    """Make an account and a session for it, without the cost of hashing a password."""
    with transaction() as session:
        user = User(email=f"{name.lower()}@example.com", name=name, password_hash="none", role=role)
        session.add(user)
        session.flush()
        opened = UserSession(user_id=user.id, expires_at=in_seconds(3600), last_seen_at=now())
        session.add(opened)
        session.flush()
    with client.application.app_context():
        token = access_tokens.issue(user.id, opened.id)
    return Person(client, user.id, opened.id, user.email, token)
