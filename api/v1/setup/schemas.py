"""What goes in."""

import marshmallow as ma

from api.v1.accounts.schemas import PASSWORD
from api.v1.fields import name


class FirstAdminSchema(ma.Schema):
    """Who the first administrator is."""

    token = ma.fields.String(required=True, metadata={"example": "rys_…"})
    email = ma.fields.Email(required=True, metadata={"example": "alice@example.com"})
    name = name(required=True, metadata={"example": "Alice"})
    password = ma.fields.String(
        required=True, load_only=True, validate=PASSWORD, metadata={"example": "a long sentence"}
    )
