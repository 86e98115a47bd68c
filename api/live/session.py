"""One socket's conversation: hear the client, tell what is new, take leave."""

import random
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid4

import structlog

from api.live import replay
from api.live.channels import Channel
from api.live.connection import Connection, Gone
from api.live.frames import (
    MOST_MESSAGES_PER_SECOND,
    MOST_TOPICS,
    BadFrame,
    Bye,
    Close,
    Frame,
    From,
    Hello,
    Ping,
    Pong,
    Refused,
    Reset,
    Subscribe,
    Subscribed,
    Unsubscribe,
    decode,
    encode,
)
from api.live.topics import Topic, parse, project_of
from domain.access.credentials import actor_again
from domain.access.policy import Actor
from domain.errors import DomainError, Forbidden, TooMany, Unauthenticated
from models.session import transaction

PING_SECONDS = 20.0
MOST_BEHIND = 256
STALL_SECONDS = 1.0
MOST_STALL_SECONDS = 10.0
RETRY_MS = 1_000

log = structlog.get_logger()


class Channels(Protocol):
    """Where a session gets its channels."""

    def join(self, topic: Topic, tip: int, session: "Session") -> Channel: ...
    def part(self, channel: Channel, session: "Session") -> None: ...


@dataclass(frozen=True)
class Farewell:
    """How a socket is closed; the client is asked to wait before it comes back."""

    code: Close
    reason: str
    retry_ms: int = RETRY_MS


SIGNED_OUT = Farewell(Close.SIGNED_OUT, "signed_out")
RIGHT_WITHDRAWN = Farewell(Close.RIGHT_WITHDRAWN, "right_withdrawn")
TOO_SLOW = Farewell(Close.TOO_SLOW, "too_slow")
BAD_FRAME = Farewell(Close.BAD_FRAME, "bad_frame")
FLOOD = Farewell(Close.TOO_MANY, "too_many_messages")
TOO_MANY_SOCKETS = Farewell(Close.TOO_MANY, "too_many_sockets", 10_000)


def fault() -> Farewell:
    """Something of ours broke; clients come back spread over some time."""
    return Farewell(Close.FAULT, "fault", random.randint(500, 5_000))  # noqa: S311 - no secret


def restart() -> Farewell:
    """This process goes down; clients come back spread over some time."""
    return Farewell(Close.RESTART, "restart", random.randint(500, 5_000))  # noqa: S311 - no secret


@dataclass(eq=False)
class Listening:
    """One topic of one socket, and the number of the last that was sent."""

    channel: Channel
    project_id: UUID
    position: int
    not_before: float = 0.0


class Session:
    """Lives as long as its socket, in the greenlet of the request."""

    def __init__(self, connection: Connection, actor: Actor, channels: Channels) -> None:
        self.id = uuid4().hex
        self.connection, self.actor = connection, actor
        self.topics: dict[str, Listening] = {}
        self.farewell: Farewell | None = None
        self.left_at = 0.0
        self._channels = channels
        self._stirred: set[str] = set()
        self._heard: deque[float] = deque(maxlen=MOST_MESSAGES_PER_SECOND)
        self._ping_at = time.monotonic() + PING_SECONDS

    def run(self) -> None:
        """Converse until either side leaves; never raises."""
        try:
            self._converse()
        except Gone:
            pass
        except Exception:
            # flask-sock would let gunicorn read our WebSocket as HTTP
            log.exception("a live session failed", session=self.id)
            self.leave(fault())
        for name in list(self.topics):
            self._drop(name)
        self._take_leave()

    def ring(self, topic: str) -> None:
        """A topic has something new."""
        self._stirred.add(topic)
        self.connection.ring()

    def leave(self, farewell: Farewell) -> None:
        """Close as soon as the present frame is written; the first reason counts."""
        if self.farewell is None:
            self.farewell, self.left_at = farewell, time.monotonic()
            self.connection.ring()

    def review(self, actor: Actor | None) -> None:
        """Take the rights as they are now; None means signed out."""
        if actor is None:
            self.leave(SIGNED_OUT)
            return
        self.actor = actor
        for listening in self.topics.values():
            if not actor.holds(listening.channel.topic.needs, listening.project_id):
                self.leave(RIGHT_WITHDRAWN)

    @property
    def is_too_slow(self) -> bool:
        """Whether the reader holds us up for longer than we bear."""
        blocked = self.connection.blocked_seconds
        return blocked > MOST_STALL_SECONDS or (blocked > STALL_SECONDS and self._is_behind)

    @property
    def _is_behind(self) -> bool:
        missing = (
            listening.channel.window.tip - listening.position
            for listening in self.topics.values()
            if not listening.channel.pace
        )
        return sum(max(0, count) for count in missing) > MOST_BEHIND

    def _converse(self) -> None:
        self._say(Hello(self.id))
        while self.farewell is None:
            for message in self.connection.messages():
                self._hear(message)
            self._tell()
            self._ping()
            self.connection.wait(self._idle_seconds())

    # hearing

    def _hear(self, message: str | bytes) -> None:
        moment = time.monotonic()
        if len(self._heard) == self._heard.maxlen and moment - self._heard[0] < 1.0:
            self.leave(FLOOD)
        if self.farewell is not None:
            return
        self._heard.append(moment)
        try:
            frame = decode(message)
        except BadFrame as problem:
            self.leave(Farewell(Close.BAD_FRAME, f"bad_frame: {problem.detail}"[:100]))
            return
        match frame:
            case Subscribe(topics):
                self._subscribe(topics)
            case Unsubscribe(names):
                for name in names:
                    self._drop(name)
            case Pong():
                pass

    def _subscribe(self, topics: dict[str, From]) -> None:
        with transaction() as session:
            try:
                actor = actor_again(session, self.actor.session_id, self.actor.api_key_id)
            except Unauthenticated:
                self.leave(SIGNED_OUT)
                return
        self.review(actor)
        for name, begin in topics.items():
            if self.farewell is not None:
                return
            try:
                self._listen(name, begin.after)
            except DomainError as refusal:
                self._say(Refused(name[:120], refusal.code, refusal.detail))

    def _listen(self, name: str, after: int | None) -> None:
        topic = parse(name)
        if name not in self.topics and len(self.topics) >= MOST_TOPICS:
            raise TooMany(f"a socket listens to {MOST_TOPICS} topics at most")
        with transaction() as session:
            project_id = project_of(session, self.actor, topic)
            current = replay.last_number(session, topic)
        self._drop(name)
        channel = self._channels.join(topic, current, self)
        if not self.actor.holds(topic.needs, project_id):
            self._channels.part(channel, self)
            raise Forbidden("your right to listen was withdrawn")
        listening = Listening(channel, project_id, current if after is None else after)
        self.topics[name] = listening
        self._stirred.add(name)
        if channel.is_numbered and listening.position > current:
            self._reset(listening)
        else:
            self._say(Subscribed(name, listening.position))

    def _drop(self, name: str) -> None:
        listening = self.topics.pop(name, None)
        self._stirred.discard(name)
        if listening is not None:
            self._channels.part(listening.channel, self)

    # telling

    def _tell(self) -> None:
        moment = time.monotonic()
        for name in list(self._stirred):
            listening = self.topics.get(name)
            if listening is None or self.farewell is not None:
                self._stirred.discard(name)
            elif listening.not_before <= moment:
                self._stirred.discard(name)
                self._tell_of(listening)

    def _tell_of(self, listening: Listening) -> None:
        channel = listening.channel
        floor = channel.window.floor
        items = channel.after(listening.position)
        if items is None:
            self._reset(listening)
        elif not items:
            # Numbers that nothing has were dropped where they came from.
            listening.position = max(listening.position, floor)
        else:
            for number, frame in channel.frames(items):
                self.connection.send(frame)
                listening.position = number
                if self.farewell is not None:
                    return
            listening.not_before = time.monotonic() + channel.pace
            self._stirred.add(channel.topic.name)

    def _reset(self, listening: Listening) -> None:
        topic = listening.channel.topic
        with transaction() as session:
            listening.position = replay.last_number(session, topic)
        self._say(Reset(topic.name, listening.position, topic.snapshot_url))

    def _ping(self) -> None:
        if time.monotonic() >= self._ping_at:
            self._ping_at = time.monotonic() + PING_SECONDS
            positions = {name: listening.position for name, listening in self.topics.items()}
            self._say(Ping(positions))

    def _idle_seconds(self) -> float:
        if self.farewell is not None:
            return 0.0
        waiting = [self.topics[name].not_before for name in self._stirred if name in self.topics]
        return max(0.0, min([self._ping_at, *waiting]) - time.monotonic())

    def _say(self, frame: Frame) -> None:
        self.connection.send(encode(frame))

    def _take_leave(self) -> None:
        farewell = self.farewell
        if farewell is not None:
            reason = farewell.reason.partition(":")[0]
            log.info("live session closed", session=self.id, code=farewell.code, reason=reason)
            try:
                self._say(Bye(farewell.reason, farewell.retry_ms))
            except Gone:
                return
            self.connection.close(farewell.code, reason)
