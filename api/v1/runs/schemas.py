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

    step = ma.fields.Integer(metadata={"example": 120})
    total = ma.fields.Integer(
        allow_none=True, metadata={"description": "steps in all", "example": 1000}
    )
    percent = ma.fields.Float(allow_none=True, metadata={"example": 12.0})
    eta_seconds = ma.fields.Float(
        allow_none=True, metadata={"description": "time left, as far as known", "example": 88.5}
    )


class RunSchema(ma.Schema):
    """One execution."""

    id = ma.fields.UUID()
    project_id = ma.fields.UUID()
    experiment_id = ma.fields.UUID()
    parent_id = ma.fields.UUID(
        allow_none=True, metadata={"description": "the run around it", "example": None}
    )
    cloned_from_id = ma.fields.UUID(allow_none=True, metadata={"example": None})
    name = ma.fields.String(metadata={"example": "lr=0.1"})
    description = description()
    origin = ma.fields.Enum(
        RunOrigin, by_value=True, metadata={"description": "carried out by us, or only recorded"}
    )
    queue = ma.fields.String(metadata={"example": "default"})
    state = ma.fields.Enum(RunState, by_value=True)
    desire = ma.fields.Enum(Desire, by_value=True, metadata={"description": "what is wanted"})
    stop_reason = ma.fields.String(
        allow_none=True, metadata={"description": "user, shutdown or timeout", "example": None}
    )
    failure_class = ma.fields.Enum(
        FailureClass,
        by_value=True,
        allow_none=True,
        metadata={"description": "why a failed run failed", "example": None},
    )
    failure_detail = ma.fields.String(
        allow_none=True, metadata={"description": "the same, for people", "example": None}
    )
    exit_code = ma.fields.Integer(
        allow_none=True, metadata={"description": "of its process", "example": None}
    )
    attempt_count = ma.fields.Integer(
        metadata={"description": "how often a machine has tried", "example": 1}
    )
    progress = ma.fields.Nested(ProgressSchema, allow_none=True)
    spec = ma.fields.Dict(metadata=SPEC)
    params = ma.fields.Dict(
        metadata={"description": "what its script logged", "example": {"lr": "0.1"}}
    )
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
    queue = ma.fields.String(
        load_default="default",
        validate=ma.validate.Length(1, 100),
        metadata={"description": "where it waits for a machine"},
    )
    tags = tags(load_default=dict)
    spec = ma.fields.Dict(required=True, metadata=SPEC)


class RunChangeSchema(ma.Schema):
    """What to change; what is left out stays. The spec only while the run is a draft."""

    name = name()
    description = description()
    tags = tags()
    spec = ma.fields.Dict(metadata=SPEC)


class RunArguments(PageArguments):
    state = ma.fields.Enum(
        RunState,
        by_value=True,
        load_default=None,
        metadata={"description": "only runs in this state"},
    )
    name = ma.fields.String(load_default=None, metadata={"description": "a part of the name"})
    parent_id = ma.fields.UUID(load_default=None, metadata={"description": "the run around"})


class ProjectRunArguments(RunArguments):
    experiment_id = ma.fields.UUID(
        load_default=None, metadata={"description": "only runs of this experiment"}
    )


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
    number = ma.fields.Integer(metadata={"description": "first, second …", "example": 1})
    host = ma.fields.String(metadata={"example": "gpu-1"})
    state = ma.fields.Enum(AttemptState, by_value=True)
    outcome = ma.fields.Enum(Outcome, by_value=True, allow_none=True)
    runtime = ma.fields.String(
        allow_none=True, metadata={"description": "the environment it used", "example": "default"}
    )
    isolation = ma.fields.String(
        allow_none=True, metadata={"description": "how it is kept apart from others"}
    )
    exit_code = ma.fields.Integer(
        allow_none=True, metadata={"description": "of its process", "example": 0}
    )
    exit_signal = ma.fields.Integer(
        allow_none=True, metadata={"description": "that ended its process", "example": None}
    )
    failure_class = ma.fields.Enum(
        FailureClass, by_value=True, allow_none=True, metadata={"example": None}
    )
    detail = ma.fields.String(
        allow_none=True, metadata={"description": "why it ended so", "example": None}
    )
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
    reason = ma.fields.String(metadata={"description": "empty when plain", "example": ""})
    at = Instant()


class TransitionsSchema(ma.Schema):
    """Every move of a run, oldest first."""

    items = ma.fields.List(ma.fields.Nested(TransitionSchema))
