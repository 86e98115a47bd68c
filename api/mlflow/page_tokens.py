"""Opaque page tokens: a place in a list, good for the query it was made for and no other."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from domain.errors import Invalid
from settings import settings

SIGNATURE_BYTES = 16


class TokenRefused(Invalid):
    """Not one of our page tokens, or one of another query."""

    code = "page_token_refused"


def seal(place: Sequence[Any], query: Sequence[Any]) -> str:
    """A token for a place in what a query found."""
    typed = [{"id": value.hex} if isinstance(value, UUID) else _plain(value) for value in place]
    body = orjson.dumps(typed)
    return base64.urlsafe_b64encode(_sign(body, query) + body).decode()


def unseal(token: str | None, query: Sequence[Any]) -> list[Any] | None:
    """The place a token stands for; None without one. :raises TokenRefused:"""
    if not token:
        return None
    try:
        raw = base64.urlsafe_b64decode(token)
    except ValueError:
        raw = b""
    signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _sign(body, query)):
        raise TokenRefused("this page token was not made for this query; begin without one")
    return [_typed(value) for value in orjson.loads(body)]


def _plain(value: Any) -> Any:
    """JSON has no word for numbers that are not finite."""
    return {"float": str(value)} if isinstance(value, float) else value


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return UUID(hex=value["id"]) if "id" in value else float(value["float"])
    return value


def _sign(body: bytes, query: Sequence[Any]) -> bytes:
    key = settings().secret_key.encode()
    said = orjson.dumps([str(part) for part in query])
    return hmac.digest(key, b"mlflow-page\0" + said + b"\0" + body, hashlib.sha256)[
        :SIGNATURE_BYTES
    ]
