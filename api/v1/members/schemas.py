"""What goes in and out."""

import marshmallow as ma

from api.v1.fields import Instant
from models.projects import ProjectRole


class MemberSchema(ma.Schema):
    """A person's role in a project."""

    user_id = ma.fields.UUID()
    name = ma.fields.String(attribute="user.name", metadata={"example": "Bob"})
    email = ma.fields.String(attribute="user.email", metadata={"example": "bob@example.com"})
    role = ma.fields.Enum(ProjectRole, by_value=True)
    added_at = Instant()


class MembersSchema(ma.Schema):
    """Everybody in a project, by name."""

    items = ma.fields.List(ma.fields.Nested(MemberSchema))


class RoleSchema(ma.Schema):
    """Who is to have which role."""

    email = ma.fields.Email(required=True, metadata={"example": "bob@example.com"})
    role = ma.fields.Enum(ProjectRole, by_value=True, required=True)


class WhoSchema(ma.Schema):
    """Whose role to take away."""

    email = ma.fields.Email(
        required=True, metadata={"description": "their address", "example": "bob@example.com"}
    )
