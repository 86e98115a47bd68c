"""One conversation with a connection made of lists."""

from collections.abc import Iterator
from uuid import uuid4

import orjson
import pytest

from api.live import session as sessions
from api.live.connection import Gone
from api.live.frames import Close
from api.live.session import Session
from domain.access.policy import Actor, ActorKind


class Paper:
    """Notes what is sent; the reader leaves when nothing more is to come."""

    unread_messages = 0
    blocked_seconds = 0.0

    def __init__(self, *messages: str | Exception) -> None:
        self.to_come = list(messages)
        self.sent: list[dict[str, object]] = []
        self.closed: tuple[Close, str] | None = None

    def send(self, frame: bytes) -> None:
        self.sent.append(orjson.loads(frame))

    def messages(self) -> Iterator[str]:
        if not self.to_come:
            raise Gone
        message = self.to_come.pop(0)
        if isinstance(message, Exception):
            raise message
        yield message

    def wait(self, seconds: float) -> None: ...
    def ring(self) -> None: ...

    def close(self, code: Close, reason: str) -> None:
        self.closed = code, reason


def converse(paper: Paper) -> Session:
    session = Session(paper, Actor(ActorKind.USER, uuid4()), channels=None)  # type: ignore[arg-type]
    session.run()
    return session


def test_a_sign_of_life_is_sent_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PING_SECONDS", 0.0)
    paper = Paper('{"frame":"pong"}', '{"frame":"pong"}')
    converse(paper)
    assert [frame["frame"] for frame in paper.sent] == ["hello", "ping", "ping"]
    assert paper.sent[-1]["positions"] == {}


def test_a_bug_of_ours_closes_the_socket_and_goes_no_further() -> None:
    paper = Paper(RuntimeError("a bug"))
    converse(paper)
    assert paper.sent[-1]["frame"] == "bye"
    assert paper.sent[-1]["reason"] == "fault"
    assert paper.closed == (Close.FAULT, "fault")


def test_the_first_reason_to_leave_counts() -> None:
    paper = Paper('{"frame":"pong"}')
    session = Session(paper, Actor(ActorKind.USER, uuid4()), channels=None)  # type: ignore[arg-type]
    session.leave(sessions.SIGNED_OUT)
    session.leave(sessions.FLOOD)
    session.run()
    assert paper.closed == (Close.SIGNED_OUT, "signed_out")
