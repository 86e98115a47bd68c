"""What goes in and out."""

import marshmallow as ma

from api.paging import PageArguments
from api.v1.fields import Instant, name
from domain.accounts.passwords import LONGEST, SHORTEST
from models.accounts import PlatformRole

PASSWORD = ma.validate.Length(SHORTEST, LONGEST)


class AccountSchema(ma.Schema):
    """A person's account."""

    id = ma.fields.UUID()
    email = ma.fields.String(metadata={"example": "alice@example.com"})
    name = ma.fields.String(metadata={"example": "Alice"})
    role = ma.fields.Enum(PlatformRole, by_value=True)
    is_active = ma.fields.Boolean()
    created_at = Instant()
    last_sign_in_at = Instant(allow_none=True)


class NewAccountSchema(ma.Schema):
    """Who the account is for."""

    email = ma.fields.Email(required=True, metadata={"example": "bob@example.com"})
    name = name(required=True, metadata={"example": "Bob"})
    password = ma.fields.String(
        required=True, load_only=True, validate=PASSWORD, metadata={"example": "a long sentence"}
    )
    role = ma.fields.Enum(PlatformRole, by_value=True, load_default=PlatformRole.USER)


class AccountArguments(PageArguments):
    search = ma.fields.String(
        load_default=None, metadata={"description": "a part of the name or the address"}
    )
