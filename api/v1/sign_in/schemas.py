"""What goes in and out."""

import marshmallow as ma

from domain.accounts.passwords import LONGEST


class CredentialsSchema(ma.Schema):
    """What a person signs in with."""

    email = ma.fields.String(
        required=True,
        validate=ma.validate.Length(1, 320),
        metadata={"example": "alice@example.com"},
    )
    password = ma.fields.String(
        required=True,
        load_only=True,
        validate=ma.validate.Length(1, LONGEST),
        metadata={"example": "a long sentence"},
    )


class RefreshSchema(ma.Schema):
    """The refresh token to spend."""

    refresh_token = ma.fields.String(
        required=True, validate=ma.validate.Length(1, 200), metadata={"example": "ryf_…"}
    )


class TokensSchema(ma.Schema):
    """A short access token, and the refresh token for the next one."""

    access_token = ma.fields.String(
        metadata={"description": "send as a bearer token", "example": "eyJ…"}
    )
    token_type = ma.fields.String(metadata={"example": "Bearer"})
    expires_in = ma.fields.Integer(metadata={"description": "seconds", "example": 600})
    refresh_token = ma.fields.String(
        metadata={
            "description": "works once; using it again ends the session",
            "example": "ryf_…",
        }
    )
    session_id = ma.fields.UUID()
