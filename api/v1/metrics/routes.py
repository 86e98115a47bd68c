"""Logged numbers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma

from api.blueprint import Blueprint
from api.identity.actor import current_actor
from domain.runs import histories
from domain.runs.histories import Place
from domain.runs.metrics import Point
from domain.runs.numbers import number_out
from models.session import transaction

blp = Blueprint("metrics", __name__, url_prefix="/api/v1", description="Metrics of runs")
MOST_POINTS = 5_000
NO_NUMBER = {"description": "NaN and the infinities are given as text", "example": 0.41}


class Value(ma.fields.Field[float]):
    """A number; JSON has no word for those that are not finite, so they are given as text."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> float | str:
        return number_out(value)


class LatestMetricSchema(ma.Schema):
    """The latest point of one metric."""

    key = ma.fields.String(metadata={"example": "loss"})
    step = ma.fields.Integer(metadata={"example": 120})
    ms = ma.fields.Integer(
        attribute="logged_ms",
        metadata={"description": "milliseconds since 1970", "example": 1772357400000},
    )
    value = Value(metadata=NO_NUMBER)


class LatestMetricsSchema(ma.Schema):
    """The latest point of every metric of a run."""

    items = ma.fields.List(ma.fields.Nested(LatestMetricSchema))


class PointSchema(ma.Schema):
    """One logged number."""

    step = ma.fields.Integer(metadata={"example": 120})
    ms = ma.fields.Integer(
        attribute="logged_ms",
        metadata={"description": "milliseconds since 1970", "example": 1772357400000},
    )
    value = Value(metadata=NO_NUMBER)


class HistorySchema(ma.Schema):
    """Points by step, then time, then value."""

    items = ma.fields.List(ma.fields.Nested(PointSchema))


class HistoryArguments(ma.Schema):
    key = ma.fields.String(
        required=True, metadata={"description": "name of the metric", "example": "loss"}
    )
    points = ma.fields.Integer(
        load_default=1_000,
        validate=ma.validate.Range(10, MOST_POINTS),
        metadata={"description": "at most; of more, first, last and extremes are kept"},
    )


@blp.route("/runs/<uuid:run_id>/metrics", methods=["GET"])
@blp.response(200, LatestMetricsSchema)
@blp.reads(histories.latest_metrics)
def read_latest_metrics(run_id: UUID) -> dict[str, Sequence[Point]]:
    """Read the latest point of every metric"""
    with transaction() as session:
        return {"items": histories.latest_metrics(session, current_actor(), run_id)}


@blp.route("/runs/<uuid:run_id>/metrics/history", methods=["GET"])
@blp.arguments(HistoryArguments, location="query")
@blp.response(200, HistorySchema)
@blp.reads(histories.sampled_history)
def read_history(arguments: dict[str, Any], run_id: UUID) -> dict[str, Sequence[Place]]:
    """Read a metric's history for a chart

    A long history is thinned to the points asked for, in a way that keeps its first and last
    point and every spike, and that gives the same points every time.
    """
    with transaction() as session:
        points = histories.sampled_history(
            session, current_actor(), run_id, arguments["key"], most=arguments["points"]
        )
    return {"items": points}
