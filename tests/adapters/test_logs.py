"""Whatever is logged, no secret is in it."""

import json
import logging

import pytest
import structlog

from adapters.logs import MASK, configure_logging, mask_secrets

TOKEN = "Xb3k9qT7vLmZ2pR8wY5uN1cD4fG6hJ0a"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x"
SECRETS = [
    *(f"{prefix}{TOKEN}" for prefix in ("rys_", "ryf_", "ryk_", "ryr_", "ryt_")),
    JWT,
]


@pytest.mark.parametrize(
    "name",
    ["password", "token", "access_token", "Authorization", "secret_key", "credential", "api_key"],
)
def test_fields_of_secrets_are_masked_by_name(name: str) -> None:
    assert mask_secrets(None, "info", {name: "hunter2"}) == {name: MASK}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "Bearer {}", "GET /live?ticket={} 200", "'{}'"])
def test_secrets_are_masked_by_their_look(secret: str, around: str) -> None:
    entry = mask_secrets(None, "info", {"event": around.format(secret)})
    assert entry["event"] == around.format(MASK)


def test_passwords_in_addresses_are_masked() -> None:
    entry = mask_secrets(None, "info", {"url": "postgresql://me:hunter2@db:5432/runyard"})
    assert entry["url"] == f"postgresql://{MASK}@db:5432/runyard"


@pytest.mark.parametrize("inside", [{"a": {}}, {"a": []}, {"a": ()}])
def test_secrets_are_masked_however_deep(inside: dict[str, object]) -> None:
    nested = {"headers": {"Authorization": "hunter2"}, "lines": [f"got {SECRETS[0]}"]}
    entry = mask_secrets(None, "info", {"event": "request", "request": nested | inside})
    assert "hunter2" not in str(entry)
    assert TOKEN not in str(entry)


def test_what_is_no_secret_stays() -> None:
    entry = {"event": "request", "status": 200, "route": "/api/v1/runs", "run_id": "01a20f6d"}
    assert mask_secrets(None, "info", dict(entry)) == entry


def test_nothing_secret_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging("test")
        structlog.get_logger().info("signed in", token=TOKEN, note=f"with {SECRETS[2]}")
        logging.getLogger("library").warning("connecting to redis://:hunter2@localhost")
        try:
            raise ValueError(f"bad token {JWT}")
        except ValueError:
            structlog.get_logger().exception("failed")
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    printed = capsys.readouterr().err
    assert TOKEN not in printed
    assert JWT not in printed
    assert "hunter2" not in printed
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [line["event"] for line in lines][:2] == [
        "signed in",
        f"connecting to redis://{MASK}@localhost",
    ]
    assert {line["process"] for line in lines} == {"test"}
