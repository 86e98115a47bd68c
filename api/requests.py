"""What happens around every request: an id, a line in the log, safe headers."""

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from domain.errors import Invalid

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NOTHING_ACTIVE = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
GIVEN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
log = structlog.get_logger()


class NulRefused(Invalid):
    code = "nul_refused"


def begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if GIVEN_ID.fullmatch(given) else uuid4().hex
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def refuse_nul() -> None:
    """:raises NulRefused: PostgreSQL cannot keep this character, so none comes in."""
    if "\0" in request.path or b"%00" in request.query_string:
        raise NulRefused("the address holds a NUL character (%00)")


def end(answer: Response) -> Response:
    answer.headers["X-Request-Id"] = g.request_id
    for name, value in SAFE_HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers.setdefault("Content-Security-Policy", NOTHING_ACTIVE)
    answer.headers.setdefault("Cache-Control", "no-store")
    log.info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=answer.status_code,
        ms=round((time.perf_counter() - g.began) * 1000, 1),
    )
    return answer


def register(app: Flask) -> None:
    app.before_request(begin)
    app.before_request(refuse_nul)
    app.after_request(end)
