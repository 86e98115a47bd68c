"""Orders of runs, and the place of a run within one.

An order is a row of expressions that are never null, the last of them the id. Where a run
stands is the values of those, so a page can begin just beyond any run, however deep.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Float, and_, case, cast, func, literal, or_

from domain.runs.conditions import COLUMNS, NOT_A_NUMBER, Subject, keyed_text, latest_value
from models.runs import Run

MOST_ORDERS = 8


@dataclass(frozen=True)
class OrderBy:
    """One wish for the order; runs without the value come last either way."""

    subject: Subject
    descending: bool = False
    key: str = ""


@dataclass(frozen=True)
class Sorting:
    """One expression of an order, and its direction."""

    expression: ColumnElement[Any]
    descending: bool


def sortings(wishes: Sequence[OrderBy]) -> list[Sorting]:
    """What to sort by; newest first if nothing else is wished, and to tell equals apart."""
    wished = [sorting for wish in wishes for sorting in _sortings_of(wish)]
    return [*wished, Sorting(Run.id.expression, descending=True)]


def beyond(order: Sequence[Sorting], place: Sequence[Any]) -> ColumnElement[bool]:
    """Only what comes after a place in the order."""
    sorting, value = order[0], place[0]
    column = sorting.expression
    wanted = cast(literal(value), column.type)
    past = column < wanted if sorting.descending else column > wanted
    if len(order) == 1:
        return past
    return or_(past, and_(column == wanted, beyond(order[1:], place[1:])))


def _sortings_of(wish: OrderBy) -> list[Sorting]:
    if wish.subject is Subject.METRIC:
        value = latest_value(wish.key)
        rank = case((value.is_(None), 2), (value == NOT_A_NUMBER, 1), else_=0)
        number = case((rank == 0, value), else_=cast(literal(0.0), Float(53)))
        return [Sorting(rank, descending=False), Sorting(number, wish.descending)]
    if wish.subject in (Subject.PARAM, Subject.TAG):
        text = keyed_text(wish.subject, wish.key)
        return [Sorting(_missing(text), descending=False), Sorting(_text(text), wish.descending)]
    column = COLUMNS[wish.subject]
    if wish.subject in (Subject.STARTED_AT, Subject.ENDED_AT):
        moment = cast(func.extract("epoch", column) * 1_000_000, BigInteger)
        since = func.coalesce(moment, 0)
        return [Sorting(_missing(column), descending=False), Sorting(since, wish.descending)]
    if wish.subject is Subject.ID:
        return [Sorting(column, wish.descending)]
    return [Sorting(_text(column), wish.descending)]


def _missing(value: ColumnElement[Any]) -> ColumnElement[int]:
    return case((value.is_(None), 1), else_=0)


def _text(value: ColumnElement[Any]) -> ColumnElement[str]:
    return func.coalesce(value, "").collate("C")
