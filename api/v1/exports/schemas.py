"""What goes out."""

import marshmallow as ma

from api.paging import PageArguments
from api.v1.fields import Instant


class ExportSchema(ma.Schema):
    """A portable bundle of a run."""

    id = ma.fields.UUID()
    project_id = ma.fields.UUID()
    run_id = ma.fields.UUID()
    name = ma.fields.String(metadata={"example": "lr=0.1.zip"})
    size = ma.fields.Integer(metadata={"description": "bytes", "example": 48213})
    sha256 = ma.fields.String(metadata={"example": "9f86d081884c7d65…"})
    created_at = Instant()


class ExportArguments(PageArguments):
    run_id = ma.fields.UUID(load_default=None, metadata={"description": "only of this run"})
