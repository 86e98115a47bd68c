"""JSON in and out, in one place: strict about what comes in, fast about what goes out."""

import re
from typing import Any

import flask
import orjson
from flask.json.provider import JSONProvider
from webargs.flaskparser import FlaskParser

from domain.errors import Invalid

DEEPEST = 64
NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class MalformedJson(Invalid):
    code = "malformed_json"


def read_json(raw: bytes) -> Any:
    """Decode a body.

    :raises MalformedJson: it is no JSON, is nested too deeply, or holds a NUL character,
        which PostgreSQL cannot keep.
    """
    if NUL.search(raw):
        raise MalformedJson("a string holds a NUL character (\\u0000)")
    if _depth(raw) > DEEPEST:
        raise MalformedJson(f"the body is nested deeper than {DEEPEST} levels")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise MalformedJson(f"the body is not valid JSON: {problem}") from None


def _depth(raw: bytes) -> int:
    """An upper bound of the nesting; exact unless strings hold brackets."""
    if raw.count(b"[") + raw.count(b"{") <= DEEPEST:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for byte in raw:
        if in_string:
            in_string = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


class Json(JSONProvider):
    """Flask's JSON by orjson: compact, and exact about dates, UUIDs and 64-bit numbers."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, option=orjson.OPT_NON_STR_KEYS).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return read_json(s.encode() if isinstance(s, str) else s)

    def response(self, *args: Any, **kwargs: Any) -> flask.Response:
        body = orjson.dumps(
            self._prepare_response_obj(args, kwargs), option=orjson.OPT_NON_STR_KEYS
        )
        return flask.Response(body, mimetype="application/json")


class Parser(FlaskParser):
    """Arguments are parsed by the same decoder; unknown ones are refused wherever they stand."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs' own form
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": "raise",
        "json": "raise",
    }

    def _raw_load_json(self, req: flask.Request) -> Any:
        if not req.is_json:
            if req.content_length:
                flask.abort(415)
            return {}
        raw = req.get_data(cache=True)
        return read_json(raw) if raw else {}
