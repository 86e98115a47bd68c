"""Conditions on runs, as a client may state them, and what they are in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, cast, exists, func, literal, select

from domain.errors import Invalid
from models.metrics import LatestMetric, MetricKey
from models.runs import Run

NOT_A_NUMBER = cast(literal("NaN"), Float(53))
STARTED_AT = func.coalesce(Run.started_at, Run.created_at)


class Subject(StrEnum):
    """What a condition or an order is about; the last three are told apart by a key."""

    ID = "id"
    NAME = "name"
    STATE = "state"
    STARTED_AT = "started_at"
    ENDED_AT = "ended_at"
    METRIC = "metric"
    PARAM = "param"
    TAG = "tag"


class Operator(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    LIKE = "like"
    ILIKE = "ilike"
    IN = "in"
    NOT_IN = "not in"
    IS_NULL = "is null"
    IS_NOT_NULL = "is not null"


class ConditionRefused(Invalid):
    """This cannot be asked of runs."""

    code = "condition_refused"


@dataclass(frozen=True)
class Condition:
    """One thing that must hold of a run."""

    subject: Subject
    operator: Operator
    value: Any = None
    key: str = ""


COLUMNS: dict[Subject, ColumnElement[Any]] = {
    Subject.ID: Run.id.expression,
    Subject.NAME: Run.name.expression,
    Subject.STATE: Run.state.expression,
    Subject.STARTED_AT: STARTED_AT,
    Subject.ENDED_AT: Run.ended_at.expression,
}
KEYED: dict[Subject, Any] = {Subject.PARAM: Run.params, Subject.TAG: Run.tags}


def met(condition: Condition) -> ColumnElement[bool]:
    """The condition in SQL."""
    if condition.subject is Subject.METRIC:
        return _metric_meets(condition)
    if condition.subject not in KEYED:
        return _compare(COLUMNS[condition.subject], condition)
    if condition.operator is Operator.EQUAL:
        # Containment is what an index on the whole document can answer.
        contained: ColumnElement[bool] = KEYED[condition.subject].contains(
            {condition.key: condition.value}
        )
        return contained
    return _compare(keyed_text(condition.subject, condition.key), condition)


def latest_value(key: str) -> Any:
    """The latest value of a run's metric, as part of a statement on runs."""
    return (
        select(LatestMetric.value)
        .join(MetricKey, MetricKey.id == LatestMetric.key_id)
        .where(LatestMetric.run_number == Run.number, MetricKey.name == key)
        .correlate(Run)
        .scalar_subquery()
    )


def keyed_text(subject: Subject, key: str) -> ColumnElement[str]:
    """The text of a parameter or tag; null where there is none."""
    text: ColumnElement[str] = KEYED[subject][key].astext
    return text


def _metric_meets(condition: Condition) -> ColumnElement[bool]:
    # By the experiment too, so that the index on (experiment, key, value) serves.
    key_id = select(MetricKey.id).where(MetricKey.name == condition.key).scalar_subquery()
    value = LatestMetric.value
    of_the_run = and_(
        LatestMetric.run_number == Run.number,
        LatestMetric.experiment_id == Run.experiment_id,
        LatestMetric.key_id == key_id,
    )
    holds = _compare(value, condition)
    if condition.operator not in (Operator.NOT_EQUAL, Operator.IS_NOT_NULL):
        # For the database NaN is greater than any number; for people it is no match.
        holds = and_(holds, value != NOT_A_NUMBER)
    return exists().where(of_the_run, holds).correlate(Run)


def _compare(column: Any, condition: Condition) -> ColumnElement[bool]:
    value = condition.value
    compared: dict[Operator, Any] = {
        Operator.EQUAL: lambda: column == value,
        Operator.NOT_EQUAL: lambda: column != value,
        Operator.LESS: lambda: column < value,
        Operator.AT_MOST: lambda: column <= value,
        Operator.GREATER: lambda: column > value,
        Operator.AT_LEAST: lambda: column >= value,
        Operator.LIKE: lambda: column.like(value),
        Operator.ILIKE: lambda: column.ilike(value),
        Operator.IN: lambda: column.in_(_several(value)),
        Operator.NOT_IN: lambda: column.not_in(_several(value)),
        Operator.IS_NULL: lambda: column.is_(None),
        Operator.IS_NOT_NULL: lambda: column.is_not(None),
    }
    result: ColumnElement[bool] = compared[condition.operator]()
    return result


def _several(value: Any) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ConditionRefused("IN wants a list in parentheses")
    return value
