"""News as it travels, whether it is read from a stream or from PostgreSQL."""

import orjson

from domain.clock import milliseconds
from models.events import Event


def encode(event: Event) -> bytes:
    """A JSON object of the news: its type, time in milliseconds, and data."""
    return orjson.dumps({"type": event.type, "at": milliseconds(event.at), "data": event.data})
