"""What goes in and out."""

import marshmallow as ma

from api.paging import PageArguments
from api.v1.fields import Instant, description, name


class ProjectSchema(ma.Schema):
    """Who may see and do; everything belongs to one."""

    id = ma.fields.UUID()
    name = ma.fields.String(metadata={"example": "digits"})
    description = description()
    created_at = Instant()
    updated_at = Instant()
    version = ma.fields.Integer(metadata={"description": "also the ETag"})


class NewProjectSchema(ma.Schema):
    """A project to be made."""

    name = name(required=True, metadata={"example": "digits"})
    description = description(load_default="")


class ProjectChangeSchema(ma.Schema):
    """What to change; what is left out stays."""

    name = name()
    description = description()


class ProjectArguments(PageArguments):
    name = ma.fields.String(load_default=None, metadata={"description": "a part of the name"})
