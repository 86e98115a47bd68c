"""What a run's process wrote."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma

from api.blueprint import Blueprint
from api.identity.actor import current_actor
from domain.runs.logs import LogLine, read_log
from models.session import transaction

blp = Blueprint("logs", __name__, url_prefix="/api/v1", description="Logs of runs")
MOST_LINES = 5_000
MOST_NUMBER = 2**31 - 2  # line numbers have four bytes


class LogLineSchema(ma.Schema):
    """One line; a number that is missing was dropped where the log reached its limit."""

    number = ma.fields.Integer(metadata={"description": "from 1 on", "example": 17})
    stream = ma.fields.String(metadata={"example": "stdout"})
    ms = ma.fields.Integer(
        attribute="logged_ms",
        metadata={"description": "milliseconds since 1970", "example": 1772357400000},
    )
    text = ma.fields.String(metadata={"example": "epoch 3 loss 0.41"})


class LogSchema(ma.Schema):
    """Lines in order."""

    items = ma.fields.List(ma.fields.Nested(LogLineSchema))


class LogArguments(ma.Schema):
    after = ma.fields.Integer(
        load_default=0,
        validate=ma.validate.Range(0, MOST_NUMBER),
        metadata={"description": "the number of the last line already read"},
    )
    limit = ma.fields.Integer(
        load_default=1_000,
        validate=ma.validate.Range(1, MOST_LINES),
        metadata={"description": "lines at most"},
    )


@blp.route("/runs/<uuid:run_id>/log", methods=["GET"])
@blp.arguments(LogArguments, location="query")
@blp.response(200, LogSchema)
@blp.reads(read_log)
def read_run_log(arguments: dict[str, Any], run_id: UUID) -> dict[str, Sequence[LogLine]]:
    """Read a run's log by line number"""
    with transaction() as session:
        return {"items": read_log(session, current_actor(), run_id, **arguments)}
