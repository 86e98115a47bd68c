"""Signing in, staying signed in, signing out."""

from typing import Any

from flask import request

from api.blueprint import Blueprint
from api.identity import access_tokens
from api.identity.actor import current_actor
from api.v1.sign_in.schemas import CredentialsSchema, RefreshSchema, TokensSchema
from domain.accounts import sessions
from models.session import transaction
from settings import settings

blp = Blueprint("sign-in", __name__, url_prefix="/api/v1", description="Sessions and tokens")


@blp.route("/sign-in", methods=["POST"])
@blp.arguments(CredentialsSchema)
@blp.response(200, TokensSchema)
@blp.open_to_all("this is where a credential is checked", 401)
def sign_in(given: dict[str, Any]) -> dict[str, Any]:
    """Sign in with a password"""
    with transaction() as session:
        signed_in = sessions.sign_in(
            session,
            **given,
            user_agent=request.user_agent.string,
            address=request.remote_addr or "",
        )
    return _tokens(signed_in)


@blp.route("/sign-in/refresh", methods=["POST"])
@blp.arguments(RefreshSchema)
@blp.response(200, TokensSchema)
@blp.open_to_all("the refresh token is the credential", 401)
def refresh(given: dict[str, Any]) -> dict[str, Any]:
    """Spend a refresh token for new tokens

    A refresh token works once. One that comes a second time was copied by somebody: the whole
    session ends.
    """
    with transaction() as session:
        signed_in = sessions.refresh(session, given["refresh_token"])
    if signed_in is None:
        raise sessions.RefreshRefused("this refresh token was used before; the session has ended")
    return _tokens(signed_in)


@blp.route("/sign-out", methods=["POST"])
@blp.response(204)
@blp.performs(sessions.sign_out)
def sign_out() -> None:
    """End the session one is calling with"""
    with transaction() as session:
        sessions.sign_out(session, current_actor(), None)


def _tokens(signed_in: sessions.SignedIn) -> dict[str, Any]:
    opened = signed_in.session
    return {
        "access_token": access_tokens.issue(opened.user_id, opened.id),
        "token_type": "Bearer",
        "expires_in": int(settings().access_token_seconds),
        "refresh_token": signed_in.refresh_token,
        "session_id": opened.id,
    }
