"""Fields that several nouns share."""

from typing import Any

import marshmallow as ma

NAME = ma.validate.Length(1, 200)
DESCRIPTION = ma.validate.Length(0, 20_000)
TAG_VALUE = ma.validate.Length(0, 8_000)


def name(**kwargs: Any) -> ma.fields.String:
    metadata = kwargs.pop("metadata", {"description": "for people to tell it apart by"})
    return ma.fields.String(validate=NAME, metadata=metadata, **kwargs)


def description(**kwargs: Any) -> ma.fields.String:
    metadata = {"description": "what it is about, at any length", "example": ""}
    return ma.fields.String(validate=DESCRIPTION, metadata=metadata, **kwargs)


def tags(**kwargs: Any) -> ma.fields.Dict:
    """Short texts by name."""
    return ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.Length(1, 250)),
        values=ma.fields.String(validate=TAG_VALUE),
        metadata={"example": {"team": "vision"}},
        **kwargs,
    )


class Instant(ma.fields.DateTime):
    """A moment in UTC, ISO 8601."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)


class VersionHeader(ma.Schema):
    """The version that an update changes."""

    if_match = ma.fields.String(
        data_key="If-Match",
        metadata={"description": 'the ETag that was read, such as `"3"`, or `*`'},
    )

    class Meta:
        unknown = ma.EXCLUDE


class IdempotencyHeader(ma.Schema):
    """A key of the client's choice: the same key never asks for the same thing twice."""

    idempotency_key = ma.fields.String(
        data_key="Idempotency-Key",
        load_default=None,
        validate=ma.validate.Length(1, 200),
        metadata={"description": "repeat a request with the same key and it is done once"},
    )

    class Meta:
        unknown = ma.EXCLUDE
