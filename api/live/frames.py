"""Every frame of the live wire, both ways; ``docs/live.md`` tells what they mean.

Each is a JSON object in one text message, and its ``frame`` says which it is.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from domain.errors import Invalid

MOST_TOPICS = 100
MOST_SOCKETS = 10
MOST_MESSAGES_PER_SECOND = 20
MOST_MESSAGE_BYTES = 64 * 1024


class Close(IntEnum):
    """Why a socket was closed."""

    FAULT = 1011
    RESTART = 1012
    BAD_FRAME = 4400
    SIGNED_OUT = 4401
    RIGHT_WITHDRAWN = 4403
    TOO_SLOW = 4408
    TOO_MANY = 4429


class Limits(msgspec.Struct, frozen=True):
    """What one socket, or one person, may use."""

    topics: int = MOST_TOPICS
    sockets: int = MOST_SOCKETS
    messages_per_second: int = MOST_MESSAGES_PER_SECOND
    message_bytes: int = MOST_MESSAGE_BYTES


class Frame(msgspec.Struct, tag_field="frame"):
    """What goes from us to a client."""


class Hello(Frame, tag="hello"):
    """The first frame."""

    session: str
    limits: Limits = Limits()


class Subscribed(Frame, tag="subscribed"):
    """What follows begins after this number."""

    topic: str
    seq: int


class Refused(Frame, tag="refused"):
    """The topic can't be listened to."""

    topic: str
    code: str
    detail: str


class Event(Frame, tag="event"):
    """One piece of durable news; ``at`` is milliseconds since 1970."""

    topic: str
    seq: int
    type: str
    at: int
    data: Raw


class Tail(Frame, tag="tail"):
    """Fresh items, of which the last has the number ``cursor``."""

    topic: str
    cursor: int
    items: Sequence[Raw]


class Reset(Frame, tag="reset"):
    """Something is missing; read the snapshot, what follows begins after ``seq``."""

    topic: str
    seq: int
    snapshot_url: str


class Ping(Frame, tag="ping"):
    """A sign of life, with how far each topic has come."""

    positions: dict[str, int]


class Bye(Frame, tag="bye"):
    """The last frame before we close."""

    reason: str
    retry_ms: int


class FromClient(msgspec.Struct, tag_field="frame", forbid_unknown_fields=True):
    """What comes from a client."""


class From(msgspec.Struct, forbid_unknown_fields=True):
    """Where to begin: after a number, or from now on."""

    after: Annotated[int, Meta(ge=0)] | None = None


class Subscribe(FromClient, tag="subscribe"):
    topics: dict[str, From]


class Unsubscribe(FromClient, tag="unsubscribe"):
    topics: list[str]


class Pong(FromClient, tag="pong"):
    """Welcome, not required."""


class BadFrame(Invalid):
    """What the client sent is not one of its frames."""

    code = "bad_frame"


FromAnyClient = Subscribe | Unsubscribe | Pong
_decoder: msgspec.json.Decoder[FromAnyClient] = msgspec.json.Decoder(FromAnyClient)
encode = msgspec.json.encode


def decode(message: str | bytes) -> FromAnyClient:
    """Read a client's frame. :raises BadFrame: it isn't one."""
    if isinstance(message, bytes):
        raise BadFrame("frames are text messages")
    try:
        return _decoder.decode(message)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeError) as problem:
        raise BadFrame(str(problem)) from None


def event_frame(topic: str, seq: int, news: bytes) -> bytes:
    """The frame of news that is JSON already: an ``Event`` without decoding it."""
    return b'{"frame":"event","topic":"%s","seq":%d,%s' % (topic.encode(), seq, news[1:])
