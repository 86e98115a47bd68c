"""The log of every process: one JSON line per event, and never a secret in it."""

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

SECRET_NAMES = re.compile(r"password|secret|token|authorization|credential|api_key$", re.I)
SECRET_VALUES = re.compile(
    r"\bry[sfkrt]_[A-Za-z0-9_-]{20,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+|(?<=://)[^/@\s]+(?=@)"
)
MASK = "***"


def mask_secrets(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No secret in a log: fields by their name, tokens and URL passwords by their look."""
    for name, value in entry.items():
        entry[name] = _masked(str(name), value)
    return entry


def _masked(name: str, value: Any) -> Any:
    if SECRET_NAMES.search(name):
        return MASK
    match value:
        case str():
            return SECRET_VALUES.sub(MASK, value)
        case dict():
            return {key: _masked(str(key), inner) for key, inner in value.items()}
        case list() | tuple():
            return [_masked("", inner) for inner in value]
        case _:
            return value


def configure_logging(process: str) -> None:
    """One JSON line per event on standard error, ours and our libraries' alike."""
    level = logging.getLevelNamesMapping().get(os.environ.get("RUNYARD_LOG_LEVEL", "INFO"), 20)

    def name_process(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        entry["process"] = process
        return entry

    shared: list[Any] = [
        name_process,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Any] = [
        structlog.processors.format_exc_info,
        mask_secrets,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
