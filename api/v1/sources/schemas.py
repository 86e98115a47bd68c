"""What goes in and out."""

import marshmallow as ma

from api.v1.fields import Instant


class SourceFileSchema(ma.Schema):
    """One file of an archive."""

    path = ma.fields.String(metadata={"example": "train.py"})
    size = ma.fields.Integer(metadata={"description": "bytes", "example": 1204})


class SourceSchema(ma.Schema):
    """An uploaded archive with training code."""

    id = ma.fields.UUID()
    project_id = ma.fields.UUID()
    name = ma.fields.String(metadata={"example": "code.tar.gz"})
    kind = ma.fields.String(metadata={"description": "zip or tar.gz", "example": "tar.gz"})
    size = ma.fields.Integer(metadata={"description": "bytes", "example": 48213})
    sha256 = ma.fields.String(metadata={"example": "9f86d081884c7d65…"})
    files = ma.fields.List(ma.fields.Nested(SourceFileSchema))
    created_at = Instant()


class UploadArguments(ma.Schema):
    name = ma.fields.String(
        load_default="source",
        validate=ma.validate.Length(1, 200),
        metadata={"description": "what to call it", "example": "code.tar.gz"},
    )
