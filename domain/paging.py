"""Pages by keyset: stable under inserts and as fast on the last page as on the first.

A cursor holds the sort values of the last row of a page and what was sorted and filtered by,
so a cursor used with another query is refused rather than obeyed.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from domain.errors import Invalid
from settings import settings

T = TypeVar("T")
DEFAULT_LIMIT = 50
MOST = 200


class CursorRefused(Invalid):
    """The cursor is not one of ours, or belongs to another query."""

    code = "cursor_refused"


class SortRefused(Invalid):
    """The list cannot be sorted like that."""

    code = "sort_refused"


@dataclass(frozen=True)
class PageRequest:
    """Which page of a list: how many rows, after which, in which order."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    sort: str | None = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and the cursor of the next page unless this is the last."""

    items: Sequence[T]
    next_cursor: str | None


def paginate(
    session: Session,
    statement: Select[T],
    request: PageRequest,
    *,
    sorts: Mapping[str, InstrumentedAttribute[Any]],
    default: str,
    scope: str,
) -> Page[T]:
    """Run a statement for one page.

    ``sorts`` maps the names a client may sort by to columns that are never null; ``id`` breaks
    ties. A name with a leading minus sorts downwards. ``scope`` names the list and its filters.

    :raises SortRefused: the sort is not one of the names.
    :raises CursorRefused: the cursor was not made for this list, filter and sort.
    """
    sort = request.sort or default
    name, downwards = sort.removeprefix("-"), sort.startswith("-")
    if name not in sorts:
        raise SortRefused(f"sort by one of: {', '.join(sorts)}", pointer="#/query/sort")
    column, identity = sorts[name], sorts["id"]
    scope = f"{scope}|{sort}"
    if request.cursor:
        value, last_id = _open(request.cursor, scope)
        statement = statement.where(_beyond(column, identity, value, last_id, downwards))
    order = [c.desc() if downwards else c.asc() for c in _distinct(column, identity)]
    rows = list(session.scalars(statement.order_by(*order).limit(request.limit + 1)))
    more = len(rows) > request.limit
    rows = rows[: request.limit]
    return Page(rows, _seal(rows[-1], column.key, scope) if more else None)


def _distinct(column: Any, identity: Any) -> list[Any]:
    return [column] if column is identity else [column, identity]


def _beyond(column: Any, identity: Any, value: Any, last_id: UUID, downwards: bool) -> Any:
    if column is identity:
        return identity < last_id if downwards else identity > last_id
    past = column < value if downwards else column > value
    tie = identity < last_id if downwards else identity > last_id
    return or_(past, and_(column == value, tie))


def _seal(row: Any, key: str, scope: str) -> str:
    value = getattr(row, key)
    kind = "t" if isinstance(value, datetime) else "v"
    body = orjson.dumps([kind, value, row.id])
    return base64.urlsafe_b64encode(_sign(body, scope) + body).decode().rstrip("=")


def _open(cursor: str, scope: str) -> tuple[Any, UUID]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raw = b""
    signature, body = raw[:16], raw[16:]
    if not hmac.compare_digest(signature, _sign(body, scope)):
        raise CursorRefused(
            "this cursor belongs to another list, filter or sort; start again without it",
            pointer="#/query/cursor",
        )
    kind, value, row_id = orjson.loads(body)
    return (datetime.fromisoformat(value) if kind == "t" else value), UUID(row_id)


def _sign(body: bytes, scope: str) -> bytes:
    key = settings().secret_key.encode()
    return hmac.digest(key, scope.encode() + b"\0" + body, hashlib.sha256)[:16]
