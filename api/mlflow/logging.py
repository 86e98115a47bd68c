"""MLflow's hot endpoints: metrics, parameters and tags of a run."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from flask import Response, request
from msgspec import Meta

from api.identity.actor import current_actor
from api.mlflow.vocabulary import RUN_NAME
from api.mlflow.wire import BadField, answer, fields, number_of, run_id_of
from api.ports import ports
from api.sealing import performs
from domain.news import run_topic
from domain.runs import logging
from domain.runs.located import locate_run
from domain.runs.metrics import Point
from domain.runs.numbers import number_out
from models.session import transaction

LONGEST_PARAM, LONGEST_TAG = 6_000, 8_000
MOST_METRICS, MOST_PARAMS, MOST_TAGS, MOST_TOGETHER = 1_000, 100, 100, 1_000
Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Moment = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Metric(msgspec.Struct):
    """One point as it comes in."""

    key: str
    value: float | str
    timestamp: Moment
    step: Integer = 0

    def point(self) -> Point:
        return Point(self.key, self.step, self.timestamp, number_of(self.value))


class Pair(msgspec.Struct):
    """A parameter or tag."""

    key: str
    value: str = ""


class OfRun(msgspec.Struct):
    """The run a call is about, by any of the names the field goes by."""

    run_id: str = ""
    run_uuid: str = ""
    runId: str = ""
    runUuid: str = ""

    @property
    def id(self) -> UUID:
        text = self.run_id or self.runId or self.run_uuid or self.runUuid
        if not text:
            raise BadField("the field run_id is missing")
        return run_id_of(text)


class LogMetric(OfRun, kw_only=True):
    """One metric of a run."""

    key: str
    value: float | str
    timestamp: Moment
    step: Integer = 0

    def point(self) -> Point:
        return Point(self.key, self.step, self.timestamp, number_of(self.value))


class LogParameter(OfRun, kw_only=True):
    """One parameter of a run."""

    key: str
    value: str = ""


class SetTag(OfRun, kw_only=True):
    """One tag of a run."""

    key: str
    value: str = ""


class LogBatch(OfRun, kw_only=True):
    """Many of all three."""

    metrics: list[Metric] = []
    params: list[Pair] = []
    tags: list[Pair] = []


Body = TypeVar("Body")


@performs(logging.log)
def log_metric() -> Response:
    body = _read(LogMetric)
    return _log(body.id, points=[body.point()])


@performs(logging.log)
def log_parameter() -> Response:
    body = _read(LogParameter)
    return _log(body.id, params={body.key: body.value[:LONGEST_PARAM]})


@performs(logging.log)
def set_tag() -> Response:
    body = _read(SetTag)
    return _log(body.id, tags={body.key: body.value[:LONGEST_TAG]})


@performs(logging.log)
def log_batch() -> Response:
    body = _read(LogBatch)
    _check_sizes(body)
    return _log(
        body.id,
        points=[metric.point() for metric in body.metrics],
        params=_params(body.params),
        tags={pair.key: pair.value[:LONGEST_TAG] for pair in body.tags},
    )


@performs(logging.delete_tag)
def delete_tag() -> Response:
    given = fields()
    run_id = run_id_of(given.optional_text("run_id") or given.text("run_uuid"))
    with transaction() as session:
        actor = current_actor()
        run = locate_run(session, actor, run_id)
        logging.delete_tag(session, actor, run, tag=given.text("key"))
    return answer()


def _log(
    run_id: UUID,
    *,
    points: Sequence[Point] = (),
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Response:
    name = (tags or {}).get(RUN_NAME) or None
    with transaction() as session:
        actor = current_actor()
        run = locate_run(session, actor, run_id)
        ordinal = logging.log(
            session, actor, run, points=points, params=params, tags=tags, name=name
        )
    if ordinal is not None:
        _tell(run_id, ordinal, points)
    return answer()


def _tell(run_id: UUID, ordinal: int, points: Sequence[Point]) -> None:
    """Let those who watch the run see the points now that they are kept."""
    items = [[p.key, p.step, p.logged_ms, number_out(p.value)] for p in points]
    first = ordinal - len(points) + 1
    ports().bus.tail(f"{run_topic(run_id)}/metrics", first, ordinal, items)


def _read(kind: type[Body]) -> Body:
    raw = request.get_data()
    if b"\\u0000" in raw:
        raise BadField("a text holds a NUL character, which cannot be kept")
    try:
        return _decode(raw, kind)
    except msgspec.ValidationError as problem:
        raise BadField(str(problem)) from None
    except msgspec.DecodeError as problem:
        raise BadField(f"the body is not valid JSON: {problem}") from None


def _decode(raw: bytes, kind: type[Body]) -> Body:
    if raw.startswith(b'"'):  # old clients encode twice
        raw = msgspec.json.decode(raw, type=str).encode()
    return msgspec.json.decode(raw or b"{}", type=kind, strict=False)


def _check_sizes(body: LogBatch) -> None:
    sizes = (
        ("metrics", len(body.metrics), MOST_METRICS),
        ("params", len(body.params), MOST_PARAMS),
        ("tags", len(body.tags), MOST_TAGS),
    )
    for name, given, most in sizes:
        if given > most:
            raise BadField(f"a batch may hold {most} {name}, this holds {given}")
    if sum(given for _, given, _ in sizes) > MOST_TOGETHER:
        raise BadField(f"a batch may hold {MOST_TOGETHER} metrics, params and tags together")


def _params(pairs: Sequence[Pair]) -> dict[str, str]:
    params: dict[str, str] = {}
    for pair in pairs:
        value = pair.value[:LONGEST_PARAM]
        if params.setdefault(pair.key, value) != value:
            raise BadField(f"the parameter {pair.key!r} is given twice, with different values")
    return params
