"""What each family of refusals looks like on the native wire: problem details (RFC 9457)."""

from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from domain import errors

STATUSES: dict[type[errors.DomainError], int] = {
    errors.NotFound: 404,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.Stale: 412,
    errors.Invalid: 422,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
HINTS = {
    404: "there is nothing at this address; the list of operations is at /docs",
    405: "this address does not know this method; the list of operations is at /docs",
    413: "the body is larger than allowed",
    415: "send the body as application/json",
}
PLACES = {"query": "query", "headers": "header", "path": "path"}
RETRY_SECONDS = "2"
log = structlog.get_logger()


def status_of(error: errors.DomainError) -> int:
    """The HTTP status of an error's family."""
    return next(code for family, code in STATUSES.items() if isinstance(error, family))


def problem(
    status: int, code: str, detail: str, *, fields: list[dict[str, str]] | None = None
) -> Response:
    """A problem document; ``fields`` holds ``{pointer, detail}`` for each field at fault."""
    body: dict[str, Any] = {
        "type": f"urn:runyard:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.path,
        "request_id": getattr(g, "request_id", None),
    }
    if fields:
        body["errors"] = fields
    answer = Response(
        current_app.json.dumps(body), status=status, mimetype="application/problem+json"
    )
    if status == 401:
        answer.headers["WWW-Authenticate"] = f'Bearer realm="runyard", error="{code}"'
    return answer


def domain_problem(error: errors.DomainError) -> Response:
    """The problem document of a refusal by the domain."""
    pointer = error.pointer
    fields = [{"pointer": pointer, "detail": error.detail}] if pointer else None
    return problem(status_of(error), error.code, error.detail, fields=fields)


def http_problem(error: HTTPException) -> ResponseReturnValue:
    """The problem document of what Flask or the parser of arguments refused."""
    if isinstance(error.response, Response):
        return error.response
    status = error.code or 500
    messages = getattr(error, "data", {}).get("messages") if hasattr(error, "data") else None
    if status == 422 and messages:
        return problem(422, "invalid", "some fields are not valid", fields=_fields(messages))
    code = (error.name or "error").lower().replace(" ", "_")
    answer = problem(status, code, HINTS.get(status) or error.description or error.name)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def database_problem(error: Exception) -> Response:
    """PostgreSQL does not answer, or not in time; nothing was changed."""
    log.warning("the database does not answer", problem=str(error), path=request.path)
    answer = problem(503, "unavailable", "the database does not answer; ask again in a moment")
    answer.headers["Retry-After"] = RETRY_SECONDS
    return answer


def unexpected_problem(error: Exception) -> Response:
    """A bug: loud in the log, silent on the wire."""
    log.exception("request failed", path=request.path, method=request.method)
    return problem(500, "internal_error", "this is our fault; the log has it by the request id")


def _fields(messages: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "pointer": f"/{place}" if location == "json" else f"#/{PLACES[location]}/{place}",
            "detail": detail,
        }
        for location, nested in messages.items()
        for place, detail in _flat(nested)
    ]


def _flat(nested: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(nested, dict):
        return [
            entry
            for key, value in nested.items()
            for entry in _flat(value, path if key == "_schema" else _below(path, str(key)))
        ]
    details = nested if isinstance(nested, list) else [nested]
    return [(path, str(detail).rstrip(".")) for detail in details]


def _below(path: str, key: str) -> str:
    escaped = key.replace("~", "~0").replace("/", "~1")
    return f"{path}/{escaped}" if path else escaped


def register_error_handlers(app: Flask) -> None:
    app.register_error_handler(errors.DomainError, domain_problem)
    app.register_error_handler(HTTPException, http_problem)
    app.register_error_handler(OperationalError, database_problem)
    app.register_error_handler(PoolExhausted, database_problem)
    app.register_error_handler(Exception, unexpected_problem)
