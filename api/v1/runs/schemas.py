"""What goes in and out."""

import marshmallow as ma

from api.paging import PageArguments
from api.v1.fields import Instant, description, name, tags
from models.runs import AttemptState, Desire, FailureClass, Outcome, RunOrigin, RunState

SPEC = {
    "description": "source, command, parameters, runtime and limits",
    "example": {
        "script": {"name": "train.py", "text": "import mlflow\n…"},
        "parameters": {"lr": 0.1},
        "time_limit_seconds": 600,
    },
}


class ProgressSchema(ma.Schema):
    """How far the training is, as far as its script tells."""

    step = ma.fields.Integer()
    total = ma.fields.Integer(allow_none=True)
    percent = ma.fields.Float(allow_none=True)
    eta_seconds = ma.fields.Float(allow_none=True)


class RunSchema(ma.Schema):
    """One execution."""

    id = ma.fields.UUID()
    project_id = ma.fields.UUID()
    experiment_id = ma.fields.UUID()
    parent_id = ma.fields.UUID(allow_none=True, metadata={"description": "the run around it"})
    cloned_from_id = ma.fields.UUID(allow_none=True)
    name = ma.fields.String(metadata={"example": "lr=0.1"})
    description = ma.fields.String()
    origin = ma.fields.Enum(
        RunOrigin, by_value=True, metadata={"description": "carried out by us, or only recorded"}
    )
    queue = ma.fields.String()
    state = ma.fields.Enum(RunState, by_value=True)
    desire = ma.fields.Enum(Desire, by_value=True, metadata={"description": "what is wanted"})
    stop_reason = ma.fields.String(allow_none=True)
    failure_class = ma.fields.Enum(FailureClass, by_value=True, allow_none=True)
    failure_detail = ma.fields.String(allow_none=True)
    exit_code = ma.fields.Integer(allow_none=True)
    attempt_count = ma.fields.Integer()
    progress = ma.fields.Nested(ProgressSchema, allow_none=True)
    spec = ma.fields.Dict(metadata=SPEC)
    params = ma.fields.Dict(metadata={"description": "what the script logged as its parameters"})
    tags = tags()
    created_at = Instant()
    updated_at = Instant()
    started_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)
    version = ma.fields.Integer(metadata={"description": "also the ETag"})


class RunSummarySchema(RunSchema):
    """One execution as lists show it, without its spec."""

    class Meta:
        exclude = ("spec", "description")


class NewRunSchema(ma.Schema):
    """A run to be written down as a draft."""

    name = name(required=True, metadata={"example": "lr=0.1"})
    description = description(load_default="")
    queue = ma.fields.String(load_default="default", validate=ma.validate.Length(1, 100))
    tags = tags(load_default=dict)
    spec = ma.fields.Dict(required=True, metadata=SPEC)


class RunChangeSchema(ma.Schema):
    """What to change; what is left out stays. The spec only while the run is a draft."""

    name = name()
    description = description()
    tags = tags()
    spec = ma.fields.Dict(metadata=SPEC)


class RunArguments(PageArguments):
    state = ma.fields.Enum(RunState, by_value=True, load_default=None)
    name = ma.fields.String(load_default=None, metadata={"description": "a part of the name"})
    parent_id = ma.fields.UUID(load_default=None, metadata={"description": "the run around"})


class ProjectRunArguments(RunArguments):
    experiment_id = ma.fields.UUID(load_default=None)


class StopSchema(ma.Schema):
    """How long the run may take to end by itself."""

    grace_seconds = ma.fields.Float(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Range(0, 3600),
        metadata={"description": "between TERM and KILL; the run's own by default", "example": 10},
    )


class CloneSchema(ma.Schema):
    """What the clone is called and does differently."""

    name = name(load_default=None, allow_none=True)
    change = ma.fields.Dict(
        load_default=dict,
        metadata={
            "description": "fields of the spec to replace; parameters one by one, null removes",
            "example": {"parameters": {"lr": 0.3}},
        },
    )
    start = ma.fields.Boolean(
        load_default=False, metadata={"description": "start the clone as soon as it exists"}
    )


class AttemptSchema(ma.Schema):
    """One try by a machine to carry out a run."""

    id = ma.fields.UUID()
    number = ma.fields.Integer()
    host = ma.fields.String()
    state = ma.fields.Enum(AttemptState, by_value=True)
    outcome = ma.fields.Enum(Outcome, by_value=True, allow_none=True)
    runtime = ma.fields.String(allow_none=True)
    isolation = ma.fields.String(allow_none=True)
    exit_code = ma.fields.Integer(allow_none=True)
    exit_signal = ma.fields.Integer(allow_none=True)
    failure_class = ma.fields.Enum(FailureClass, by_value=True, allow_none=True)
    detail = ma.fields.String(allow_none=True)
    created_at = Instant()
    process_started_at = Instant(allow_none=True)
    ended_at = Instant(allow_none=True)


class AttemptsSchema(ma.Schema):
    """Every attempt of a run, first one first."""

    items = ma.fields.List(ma.fields.Nested(AttemptSchema))


class TransitionSchema(ma.Schema):
    """One move of a run."""

    before = ma.fields.Enum(RunState, by_value=True)
    after = ma.fields.Enum(RunState, by_value=True)
    reason = ma.fields.String()
    at = Instant()


class TransitionsSchema(ma.Schema):
    """Every move of a run, oldest first."""

    items = ma.fields.List(ma.fields.Nested(TransitionSchema))
