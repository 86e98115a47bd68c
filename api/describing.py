"""Completing the OpenAPI document: descriptions from docstrings, an example of every body."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls

JSON, PROBLEM = "application/json", "application/problem+json"
BY_FORMAT = {
    "uuid": "0192f3b0-7c1a-7e55-9d3a-5b8f0c2d4e6f",
    "date-time": "2026-03-01T09:30:00.000000+00:00",
    "email": "alice@example.com",
}
PROBLEMS = {
    "401": ("session_ended", "this session has ended; sign in again"),
    "403": ("forbidden", "this needs the permission run:start, which your role does not hold"),
    "404": ("not_found", "there is no run with id 0192f3b0-7c1a-7e55-9d3a-5b8f0c2d4e6f"),
    "409": ("run_cannot_move", "this run is queued already"),
    "412": ("stale", "this has changed since you read it; read it again and repeat your change"),
    "413": ("too_large", "a source archive may have 209715200 bytes at most"),
    "422": ("invalid", "some fields are not valid"),
    "428": ("precondition_required", "send If-Match with the ETag you read, or * to overwrite"),
    "default": ("unavailable", "the database does not answer; ask again in a moment"),
}
ASKED = "asked"
BY_TYPE: dict[str, Any] = {"string": "…", "integer": 1, "number": 1.0, "boolean": False}


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest is untyped
    """flask-smorest's, without its own form of errors: ours are named by each blueprint."""

    DEFAULT_ERROR_RESPONSE_NAME = None


class Described(MarshmallowPlugin):
    """Gives each schema its docstring as description."""

    def schema_helper(  # type: ignore[override]  # apispec's own classes differ here too
        self, name: Any, _: Any, schema: Any = None, **kwargs: Any
    ) -> Any:
        helper: Any = super().schema_helper
        described = helper(name, _, schema=schema, **kwargs)
        text = inspect.getdoc(resolve_schema_cls(schema)) if schema is not None else None
        return {"description": text, **described} if text else described


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document with an example of every JSON body, and without schemas nobody refers to."""
    schemas = document["components"]["schemas"]
    asked: set[str] = set()
    for operation in _operations(document["paths"]):
        for status, media in _bodies(operation, PROBLEM):
            media["example"] = _problem(status)
        for status, media in _bodies(operation, JSON):
            media["example"] = example_of(media["schema"], schemas)
            if status == ASKED:
                asked |= _names(media["schema"], schemas)
    for name in schemas.keys() - asked - {"Problem", "FieldProblem"}:
        # Whatever we answer is complete: null is said, not left out.
        schemas[name]["required"] = list(schemas[name]["properties"])
    used = json.dumps(document)
    kept = {name: schema for name, schema in schemas.items() if f'schemas/{name}"' in used}
    document["components"] = {"schemas": kept, **_without(document["components"], "schemas")}
    return document


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value that fits the schema, from the examples of its fields."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "example" in schema:
        return schema["example"]
    if "properties" in schema:
        fields = schema["properties"].items()
        return {name: example_of(field, schemas) for name, field in fields}
    if "items" in schema:
        return [example_of(schema["items"], schemas)]
    for variant in (*schema.get("anyOf", ()), *schema.get("allOf", ()), *schema.get("enum", ())):
        return example_of(variant, schemas) if isinstance(variant, dict) else variant
    return _simple(schema)


def _simple(schema: dict[str, Any]) -> Any:
    if schema.get("default") is not None:
        return schema["default"]
    kinds = schema.get("type", "null")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        return {}
    return BY_FORMAT.get(schema.get("format", "")) or BY_TYPE.get(kind)


def _operations(paths: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in paths.values():
        yield from (operation for operation in path.values() if isinstance(operation, dict))


def _bodies(operation: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The bodies of a kind that an operation takes and gives, each with its status."""
    for status, body in (
        (ASKED, operation.get("requestBody", {})),
        *operation["responses"].items(),
    ):
        if kind in body.get("content", {}):
            yield status, body["content"][kind]


def _names(schema: Any, schemas: dict[str, Any]) -> set[str]:
    """The schemas a schema refers to, directly or not."""
    found = set(re.findall(r"schemas/(\w+)", json.dumps(schema)))
    return found.union(*(_names(schemas[name], schemas) for name in found))


def _problem(status: str) -> dict[str, Any]:
    code, detail = PROBLEMS.get(status, PROBLEMS["default"])
    return {
        "type": f"urn:runyard:problem:{code}",
        "title": code.replace("_", " "),
        "status": int(status) if status.isdigit() else 503,
        "code": code,
        "detail": detail,
        "instance": "/api/v1/…",
        "request_id": "5b1f0a9c7e3d4f6a8b2c1d0e9f8a7b6c",
    }


def _without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}
