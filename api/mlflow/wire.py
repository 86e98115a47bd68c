"""MLflow's JSON: lenient about spelling and number forms, in and out.

A 64-bit integer may come as text, a number that is not finite always is text, and fields may
be spelt in snake or camel case.
"""

import math
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from flask import Response, request

from api.wire import read_json
from domain.errors import Invalid, NotFound

NO_ANSWER = b"{}"
LARGEST = 2**63 - 1
HUMP = re.compile(r"(?<=[a-z0-9])[A-Z]")
SPELT_OUT = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class BadField(Invalid):
    """A field is missing or is not what it should be."""

    code = "bad_field"


class Fields:
    """The fields of a call, from its query if it is a GET and else from its body."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given: dict[str, Any] = {}
        for name, value in given.items():
            plain = snake_case(name)
            if plain in self._given:
                raise BadField(f"the field {plain} is given twice, in two spellings")
            self._given[plain] = value

    def text(self, name: str, default: str | None = None) -> str:
        """A text that must be there unless it has a default. :raises BadField:"""
        value = self._given.get(name)
        if value is None or value == "":
            if default is None:
                raise BadField(f"the field {name} is missing")
            return default
        if isinstance(value, bool | dict | list):
            raise BadField(f"the field {name} must be text")
        return str(value)

    def optional_text(self, name: str) -> str | None:
        """A text that may be left out."""
        return self.text(name, "") or None

    def plain_text(self, name: str) -> str:
        """A text that may be empty, as the value of a tag may. :raises BadField:"""
        return self.text(name, "")

    def integer(self, name: str, default: int | None = None) -> int:
        """A 64-bit integer. :raises BadField:"""
        value = self._given.get(name)
        if value is None and default is not None:
            return default
        return integer_of(name, value)

    def count(self, name: str, *, default: int, most: int) -> int:
        """How many rows are wanted. :raises BadField: out of bounds."""
        wanted = self.integer(name, default)
        if not 1 <= wanted <= most:
            raise BadField(f"{name} must lie between 1 and {most}")
        return wanted

    def items(self, name: str) -> list[Any]:
        """A list, empty when left out; a query with one value makes a list of one."""
        value = self._given.get(name)
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    def pairs(self, name: str) -> dict[str, str]:
        """A list of ``{key, value}``. :raises BadField:"""
        pairs = [Fields(item) for item in self.items(name) if isinstance(item, dict)]
        return {pair.text("key"): pair.plain_text("value") for pair in pairs}


def fields() -> Fields:
    """The fields of the current call."""
    if request.method == "GET":
        lists = request.args.to_dict(flat=False)
        return Fields({name: v if len(v) > 1 else v[0] for name, v in lists.items()})
    body = body_of(request.get_data())
    if not isinstance(body, dict):
        raise BadField("the body must be a JSON object")
    return Fields(body)


def body_of(raw: bytes) -> Any:
    """Decode a body; an empty one is an object without fields, and old clients encode twice."""
    body = read_json(raw) if raw else {}
    return read_json(body.encode()) if isinstance(body, str) else body


def answer(content: Mapping[str, Any] | None = None) -> Response:
    """An answer in MLflow's form."""
    raw = orjson.dumps(content) if content else NO_ANSWER
    return Response(raw, mimetype="application/json")


def integer_of(name: str, value: Any) -> int:
    """:raises BadField: it is no 64-bit integer."""
    try:
        number = int(value) if isinstance(value, str | int) else int(str(value).removesuffix(".0"))
    except ValueError:
        raise BadField(f"the field {name} must be an integer") from None
    if isinstance(value, bool) or not -LARGEST - 1 <= number <= LARGEST:
        raise BadField(f"the field {name} must be a 64-bit integer")
    return number


def number_of(value: float | str) -> float:
    """A number that may be spelt out. :raises BadField:"""
    if isinstance(value, str):
        try:
            return SPELT_OUT[value] if value in SPELT_OUT else float(value)
        except ValueError:
            raise BadField(f"{value!r} is no number") from None
    return float(value)


def run_id_of(text: str) -> UUID:
    """A run's id, 32 hexadecimal digits. :raises NotFound: there can be no such run."""
    try:
        return UUID(hex=text)
    except ValueError:
        raise NotFound(f"there is no run with id {text}") from None


def snake_case(name: str) -> str:
    """``runId`` as ``run_id``."""
    return HUMP.sub(lambda hump: f"_{hump[0].lower()}", name)


def key_values(pairs: Mapping[str, Any]) -> list[dict[str, str]]:
    """A mapping as MLflow lists it."""
    return [{"key": key, "value": str(value)} for key, value in pairs.items()]
