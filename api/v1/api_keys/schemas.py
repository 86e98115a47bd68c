"""What goes in and out."""

import marshmallow as ma

from api.v1.fields import Instant, name


class ApiKeySchema(ma.Schema):
    """A personal key, without its secret."""

    id = ma.fields.UUID()
    name = ma.fields.String(metadata={"example": "laptop"})
    hint = ma.fields.String(metadata={"description": "how the key begins", "example": "ryk_Xb3k9q"})
    created_at = Instant()
    expires_at = Instant()
    last_used_at = Instant(allow_none=True)


class NewApiKeySchema(ma.Schema):
    """What the key is called and how long it lives."""

    name = name(required=True, metadata={"example": "laptop"})
    days = ma.fields.Integer(
        load_default=90,
        validate=ma.validate.Range(1, 365),
        metadata={"description": "until it expires"},
    )


class ApiKeySecretSchema(ma.Schema):
    """A new key with its secret, which is shown this once."""

    key = ma.fields.Nested(ApiKeySchema)
    token = ma.fields.String(metadata={"example": "ryk_…"})
