"""Cursor pages on the native wire."""

from functools import cache
from typing import Any

import marshmallow as ma

from domain.paging import DEFAULT_LIMIT, MOST, PageRequest


class PageArguments(ma.Schema):
    """Which page: every list takes these beside its own filters."""

    limit = ma.fields.Integer(
        load_default=DEFAULT_LIMIT,
        validate=ma.validate.Range(1, MOST),
        metadata={"description": "rows at most"},
    )
    cursor = ma.fields.String(
        load_default=None, metadata={"description": "`next_cursor` of the page before"}
    )
    sort = ma.fields.String(
        load_default=None,
        metadata={"description": "a field, with a leading minus for descending"},
    )


def page_request(arguments: dict[str, Any]) -> PageRequest:
    """Take the page's own arguments out of a list's arguments."""
    return PageRequest(
        limit=arguments.pop("limit"), cursor=arguments.pop("cursor"), sort=arguments.pop("sort")
    )


@cache
def page_of(item: type[ma.Schema]) -> type[ma.Schema]:
    """The schema of a page of such items."""
    name = item.__name__.removesuffix("Schema") + "PageSchema"
    fields = {
        "items": ma.fields.List(ma.fields.Nested(item), required=True),
        "next_cursor": ma.fields.String(
            allow_none=True, metadata={"description": "null on the last page"}
        ),
    }
    return type(name, (ma.Schema,), {"__doc__": "One page of a list.", **fields})
