"""What goes in and out."""

import marshmallow as ma

from api.paging import PageArguments
from api.v1.fields import Instant, description, name, tags


class ExperimentSchema(ma.Schema):
    """A question; holds runs."""

    id = ma.fields.UUID()
    number = ma.fields.Integer(metadata={"description": "its id on MLflow's wire"})
    project_id = ma.fields.UUID()
    name = ma.fields.String(metadata={"example": "learning rates"})
    description = description()
    tags = tags()
    created_at = Instant()
    updated_at = Instant()
    version = ma.fields.Integer(metadata={"description": "also the ETag"})


class NewExperimentSchema(ma.Schema):
    """An experiment to be made."""

    name = name(required=True, metadata={"example": "learning rates"})
    description = description(load_default="")
    tags = tags(load_default=dict)


class ExperimentChangeSchema(ma.Schema):
    """What to change; what is left out stays."""

    name = name()
    description = description()
    tags = tags()


class ExperimentArguments(PageArguments):
    name = ma.fields.String(load_default=None, metadata={"description": "a part of the name"})
