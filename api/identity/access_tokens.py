"""The access token: a short-lived signed pointer to a session row, and nothing more."""

from datetime import timedelta
from uuid import UUID

import flask_jwt_extended as jwt
from flask import Flask
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import decode as read_claims
from jwt.exceptions import PyJWTError

from domain.errors import Unauthenticated
from settings import Settings

ISSUER = "runyard"
REQUIRED_CLAIMS = frozenset({"iss", "aud", "sub", "sid", "jti", "iat", "exp", "type"})


class TokenRefused(Unauthenticated):
    code = "token_refused"


def configure(app: Flask, settings: Settings) -> None:
    """Set flask-jwt-extended up: one algorithm, headers only, named issuer and audience."""
    app.config.update(
        JWT_SECRET_KEY=settings.secret_key,
        JWT_ALGORITHM="HS256",
        JWT_DECODE_ALGORITHMS=["HS256"],
        JWT_TOKEN_LOCATION=["headers"],
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(seconds=settings.access_token_seconds),
        JWT_ENCODE_ISSUER=ISSUER,
        JWT_DECODE_ISSUER=ISSUER,
        JWT_ENCODE_AUDIENCE=ISSUER,
        JWT_DECODE_AUDIENCE=ISSUER,
    )
    jwt.JWTManager(app)


def issue(user_id: UUID, session_id: UUID) -> str:
    """An access token for a session."""
    token: str = jwt.create_access_token(
        identity=str(user_id), additional_claims={"sid": str(session_id)}
    )
    return token


def session_id_of(token: str) -> UUID:
    """The session an access token points to.

    :raises TokenRefused: it is not ours, not complete, or has expired.
    """
    try:
        jwt.decode_token(token)
        # flask-jwt-extended fills in claims that are missing, so the token itself is read again.
        claims = read_claims(token, options={"verify_signature": False})
    except (PyJWTError, JWTExtendedException, ValueError) as problem:
        raise TokenRefused(f"this access token is not valid: {problem}") from None
    if not claims.keys() >= REQUIRED_CLAIMS or claims["type"] != "access":
        raise TokenRefused("this access token is not complete")
    try:
        return UUID(claims["sid"])
    except (ValueError, TypeError, AttributeError):
        raise TokenRefused("this access token points nowhere") from None
