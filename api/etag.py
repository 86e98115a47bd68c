"""Updates that say which version they change."""

from typing import Protocol

from flask import Response, request

from api.errors import problem
from domain.errors import DomainError, Stale

ETAG = {"ETag": {"description": "send it as If-Match with a change", "schema": {"type": "string"}}}


class Versioned(Protocol):
    version: int


class MustSayVersion(DomainError):
    code = "precondition_required"


def etag_of(entity: Versioned) -> dict[str, str]:
    """The header that names an entity's version."""
    return {"ETag": f'"{entity.version}"'}


def check_version(entity: Versioned, *, required: bool = True) -> None:
    """Compare If-Match with the entity, which the caller has locked.

    :raises MustSayVersion: the header is missing.
    :raises Stale: the entity has changed since the caller read it.
    """
    wanted = request.if_match
    if not request.headers.get("If-Match"):
        if required:
            raise MustSayVersion("send If-Match with the ETag you read, or * to overwrite")
        return
    if not wanted.star_tag and str(entity.version) not in wanted:
        raise Stale(
            "this has changed since you read it; read it again and repeat your change",
            pointer="#/header/If-Match",
        )


def must_say_version(error: MustSayVersion) -> Response:
    return problem(428, error.code, error.detail)
