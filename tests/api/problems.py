"""What every refusal has to look like."""

import json
from typing import Any

from werkzeug.test import TestResponse

MEMBERS = {"type", "title", "status", "code", "detail", "instance", "request_id"}


def problem(
    answer: TestResponse, status: int, code: str | None = None, pointer: str | None = None
) -> dict[str, Any]:
    """The answer is a complete problem document with this status, code and field at fault."""
    assert answer.status_code == status, (answer.status_code, answer.get_data(as_text=True))
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.data)
    assert body.keys() >= MEMBERS
    assert body["status"] == status
    assert body["type"] == f"urn:runyard:problem:{body['code']}"
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert code in (None, body["code"]), body
    pointers = [field["pointer"] for field in body.get("errors", [])]
    assert pointer is None or pointer in pointers, body
    return body
