"""Our Blueprint: flask-smorest's, with declared permissions and documented refusals."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import flask_smorest
import marshmallow as ma
from flask import request
from flask_smorest import abort

from api import sealing
from api.wire import Parser
from domain.command import declaration_of

View = TypeVar("View", bound=Callable[..., Any])


class FieldProblemSchema(ma.Schema):
    """One field at fault."""

    pointer = ma.fields.String(metadata={"description": "where: a JSON pointer or #/query/name"})
    detail = ma.fields.String(metadata={"description": "what is wrong with it"})


class ProblemSchema(ma.Schema):
    """A refusal, as RFC 9457 has it."""

    type = ma.fields.String(required=True, metadata={"example": "urn:runyard:problem:not_found"})
    title = ma.fields.String(required=True, metadata={"example": "not found"})
    status = ma.fields.Integer(required=True, metadata={"example": 404})
    code = ma.fields.String(
        required=True, metadata={"description": "stable and for machines", "example": "not_found"}
    )
    detail = ma.fields.String(
        required=True, metadata={"description": "what was wrong and what to do about it"}
    )
    instance = ma.fields.String(required=True, metadata={"description": "the path that was called"})
    request_id = ma.fields.String(
        required=True, metadata={"description": "finds this call in the log"}
    )
    errors = ma.fields.List(ma.fields.Nested(FieldProblemSchema))


def _takes_query(view: Callable[..., Any]) -> bool:
    given = getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", [])
    return any(parameter["in"] == "query" for parameter in given)


def _without_query(view: View) -> View:
    @wraps(view)
    def strict(*args: Any, **kwargs: Any) -> Any:
        if request.args:
            abort(422, messages={"query": {name: ["Unknown field."] for name in request.args}})
        return view(*args, **kwargs)

    return cast("View", strict)


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest is untyped
    """Routes of one noun."""

    ARGUMENTS_PARSER = Parser()

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """The address and methods of a route; it takes only the query it declares."""
        register = cast("Callable[[View], View]", super().route(rule, **options))

        def decorate(view: View) -> View:
            return register(view if _takes_query(view) else _without_query(view))

        return decorate

    def arguments(self, schema: type[ma.Schema], **options: Any) -> Callable[[View], View]:
        """What goes in; the view gets it as one dictionary."""
        return cast("Callable[[View], View]", super().arguments(schema, **options))

    def response(self, status: int, schema: Any = None, **options: Any) -> Callable[[View], View]:
        """What comes out of the view is shown by the schema."""
        return cast("Callable[[View], View]", super().response(status, schema, **options))

    def doc(self, **extra: Any) -> Callable[[View], View]:
        """Further words for the OpenAPI document."""
        return cast("Callable[[View], View]", super().doc(**extra))

    def performs(self, function: Callable[..., Any], *refusals: int) -> Callable[[View], View]:
        """The route performs this command or query; ``refusals`` are the statuses it may
        answer with besides 401, 403, 404 and 422."""
        declaration = declaration_of(function)
        note = f"Needs the permission `{declaration.requires}`." if declaration else ""
        return self._documented(sealing.performs(function), note, (401, 403, 404, *refusals))

    reads = performs

    def open_to_all(self, because: str, *refusals: int) -> Callable[[View], View]:
        """The route needs no sign-in, for the reason given."""
        return self._documented(sealing.open_to_all(because), f"Open to all: {because}.", refusals)

    def _documented(
        self, mark: Callable[[View], View], note: str, refusals: tuple[int, ...]
    ) -> Callable[[View], View]:
        def decorate(view: View) -> View:
            text = f"{inspect.getdoc(view) or ''}\n\n{note}"
            view.__doc__ = text
            for status in sorted({*refusals, 422}):
                view = self.alt_response(
                    status, schema=ProblemSchema, content_type="application/problem+json"
                )(view)
            view = self.alt_response(
                "default",
                schema=ProblemSchema,
                content_type="application/problem+json",
                description="Any other refusal, or a fault of ours",
            )(view)
            door = sealing.door_of(mark(view))
            extra: dict[str, Any] = {
                "operationId": view.__name__,
                "x-permission": door.permission if door else "none",
            }
            if door and door.performs is None:
                extra["security"] = []
            marked: View = mark(self.doc(**extra)(view))
            return marked

        return decorate
