"""What goes out."""

import marshmallow as ma

from api.paging import PageArguments
from api.v1.fields import Instant
from models.intents import IntentState


class IntentSchema(ma.Schema):
    """Something that was asked for, with its outcome."""

    id = ma.fields.UUID()
    project_id = ma.fields.UUID()
    action = ma.fields.String(metadata={"example": "runs.start"})
    subject_id = ma.fields.UUID(metadata={"description": "the run it is about"})
    state = ma.fields.Enum(IntentState, by_value=True)
    percent = ma.fields.Integer(metadata={"example": 25})
    message = ma.fields.String(metadata={"example": "preparing"})
    result = ma.fields.Dict(
        allow_none=True, metadata={"description": "what came of it", "example": {"attempt": 1}}
    )
    error_code = ma.fields.String(
        allow_none=True, metadata={"description": "why it failed", "example": None}
    )
    error_detail = ma.fields.String(
        allow_none=True, metadata={"description": "the same, for people", "example": None}
    )
    deadline_at = Instant()
    created_at = Instant()
    started_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)


class IntentArguments(PageArguments):
    subject_id = ma.fields.UUID(load_default=None, metadata={"description": "a run"})
    action = ma.fields.String(
        load_default=None, metadata={"description": "what was asked", "example": "runs.start"}
    )
    state = ma.fields.Enum(
        IntentState,
        by_value=True,
        load_default=None,
        metadata={"description": "only intents in this state"},
    )
