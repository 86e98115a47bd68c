"""What each family of refusals looks like on MLflow's wire.

Its client repeats a call for minutes on 408, 429, 500, 502, 503 and 504; only what may pass
by itself is answered with one of these.
"""

import structlog
from flask import Blueprint, Response, request
from sqlalchemy.exc import DataError, InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException

from api.mlflow.wire import answer
from domain import errors

INVALID = "INVALID_PARAMETER_VALUE"
FAMILIES: dict[type[errors.DomainError], tuple[int, str]] = {
    errors.NotFound: (404, "RESOURCE_DOES_NOT_EXIST"),
    errors.Unauthenticated: (401, "UNAUTHENTICATED"),
    errors.Forbidden: (403, "PERMISSION_DENIED"),
    errors.Conflict: (409, "RESOURCE_CONFLICT"),
    errors.Stale: (409, "RESOURCE_CONFLICT"),
    errors.Invalid: (400, INVALID),
    errors.TooLarge: (413, INVALID),
    errors.TooMany: (429, "REQUEST_LIMIT_EXCEEDED"),
    errors.Unavailable: (503, "TEMPORARILY_UNAVAILABLE"),
}
# Clients look out for this one by name.
NAMES_TAKEN = {"name_taken": (400, "RESOURCE_ALREADY_EXISTS")}
log = structlog.get_logger()


class EndpointNotFound(errors.NotFound):
    """MLflow has such an endpoint, perhaps, but Runyard has not."""

    code = "endpoint_not_found"


class NotImplementedHere(errors.DomainError):
    """A known endpoint of MLflow that Runyard does not offer."""

    code = "not_implemented"


def refusal(status: int, code: str, message: str) -> Response:
    """A refusal in MLflow's form."""
    refused = answer({"error_code": code, "message": message})
    refused.status_code = status
    if status == 401:
        refused.headers["WWW-Authenticate"] = 'Bearer realm="runyard"'
    return refused


def domain_refusal(error: errors.DomainError) -> Response:
    """The refusal of a command or query."""
    if isinstance(error, EndpointNotFound):
        return refusal(404, "ENDPOINT_NOT_FOUND", error.detail)
    if isinstance(error, NotImplementedHere):
        return refusal(501, "NOT_IMPLEMENTED", error.detail)
    family = next(known for kind, known in FAMILIES.items() if isinstance(error, kind))
    return refusal(*NAMES_TAKEN.get(error.code, family), error.detail)


def http_refusal(error: HTTPException) -> Response:
    """What Flask refused, such as a body that is too large."""
    status = error.code or 500
    return refusal(status, INVALID if status < 500 else "INTERNAL_ERROR", error.description or "")


def odd_data(error: DataError) -> Response:
    """A value that the database cannot keep."""
    log.warning("the database refused a value", path=request.path, problem=str(error.orig))
    return refusal(400, INVALID, "a value is out of range or holds characters that cannot be kept")


def database_away(error: Exception) -> Response:
    """The database does not answer; the client is to ask again."""
    log.warning("the database does not answer", path=request.path, problem=str(error))
    return refusal(503, "TEMPORARILY_UNAVAILABLE", "the database does not answer; ask again")


def unexpected(error: Exception) -> Response:
    """A bug: loud in the log, silent on the wire."""
    log.exception("request failed", path=request.path, method=request.method)
    return refusal(500, "INTERNAL_ERROR", "this is our fault; the log has it by the request id")


def register_error_handlers(blueprint: Blueprint) -> None:
    blueprint.register_error_handler(errors.DomainError, domain_refusal)
    blueprint.register_error_handler(HTTPException, http_refusal)
    blueprint.register_error_handler(DataError, odd_data)
    for away in (OperationalError, InterfaceError, TimeoutError):
        blueprint.register_error_handler(away, database_away)
    blueprint.register_error_handler(Exception, unexpected)
