"""One per process: reads the streams once for all sockets and keeps the sockets honest.

It lives under gevent, where only waiting gives way to others, so nothing here is locked but what
waits. Redis may vanish, be emptied or restarted: the hub compares its channels with PostgreSQL
every two seconds, and twice a second while Redis is away.
"""

import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from adapters.redis_streams import RedisStreams, StreamsDown
from api.live import replay
from api.live.channels import Channel, ProgressChannel, open_channel
from api.live.frames import MOST_SOCKETS
from api.live.session import FLOOD, TOO_SLOW, Session, restart
from api.live.topics import Topic
from domain.errors import TooMany
from models.session import transaction

COMPARE_SECONDS = 2.0
COMPARE_SECONDS_WITHOUT_REDIS = 0.5
PAUSE_SECONDS = 0.5
MOST_UNREAD_MESSAGES = 100
LAST_WORDS_SECONDS = 4.0

log = structlog.get_logger()


class TooManySockets(TooMany):
    code = "too_many_sockets"


class Hub:
    """All sockets of this process, and the channels they listen to."""

    def __init__(self, streams: RedisStreams) -> None:
        self.sessions: set[Session] = set()
        self._streams = streams
        self._channels: dict[str, Channel] = {}
        self._joining = Lock()
        self._is_cut_off = False
        self._is_closing = False
        self._is_woken = False
        self._hole = Event()

    def start(self) -> None:
        """Begin to read; for a process that has been forked."""
        in_background("read", self._read)
        in_background("compare", self._compare)
        in_background("watch sockets", self._watch_sockets)

    def enter(self, session: Session) -> None:
        """Take a socket in. :raises TooManySockets: the person has enough of them."""
        mine = sum(other.actor.user_id == session.actor.user_id for other in self.sessions)
        if mine >= MOST_SOCKETS:
            raise TooManySockets(f"one person may hold {MOST_SOCKETS} sockets")
        self.sessions.add(session)
        if self._is_closing:
            session.leave(restart())

    def go(self, session: Session) -> None:
        self.sessions.discard(session)

    def join(self, topic: Topic, tip: int, session: Session) -> Channel:
        """The channel of a topic, opened at the number given if nobody listens yet."""
        with self._joining:
            channel = self._channels.get(topic.name)
            if channel is None:
                channel = open_channel(topic, tip)
                self._preload(channel)
                self._channels[topic.name] = channel
            channel.listeners.add(session)
        if not channel.is_numbered:
            self._hole.set()
        self._wake()
        return channel

    def part(self, channel: Channel, session: Session) -> None:
        channel.listeners.discard(session)
        if not channel.listeners and self._channels.get(channel.topic.name) is channel:
            del self._channels[channel.topic.name]

    def say_goodbye(self) -> None:
        """Ask everybody to come back later, as this process is going down."""
        self._is_closing = True
        for session in list(self.sessions):
            session.leave(restart())

    def _preload(self, channel: Channel) -> None:
        if self._is_cut_off:
            return
        try:
            name, count = channel.topic.name, channel.recent_entries
            channel.preload(self._streams.recent(name, count))
        except StreamsDown as problem:
            log.warning("a stream could not be read", topic=name, problem=str(problem))

    def _wake(self) -> None:
        if self._is_woken or self._is_cut_off:
            return
        self._is_woken = True
        try:
            self._streams.wake()
        except StreamsDown:
            self._is_woken = False

    def _read(self) -> None:
        self._is_woken = False
        positions = {name: channel.read_id for name, channel in self._channels.items()}
        try:
            entries = self._streams.read(positions)
        except StreamsDown as problem:
            self._note_cut_off(str(problem))
            time.sleep(PAUSE_SECONDS)
            return
        if self._is_cut_off:
            log.info("Redis answers again")
            self._is_cut_off = False
            self._hole.set()
        for entry in entries:
            channel = self._channels.get(entry.topic)
            if channel is not None:
                channel.read_id = entry.id
                channel.receive(entry)
                if channel.wants_filling:
                    self._hole.set()

    def _note_cut_off(self, problem: str) -> None:
        if not self._is_cut_off:
            log.warning("Redis does not answer; reading PostgreSQL instead", problem=problem)
            self._is_cut_off = True
            self._hole.set()

    def _compare(self) -> None:
        cut_off = self._is_cut_off
        self._hole.wait(COMPARE_SECONDS_WITHOUT_REDIS if cut_off else COMPARE_SECONDS)
        self._hole.clear()
        if not self._channels:
            return
        try:
            self._catch_up(list(self._channels.values()))
        except SQLAlchemyError as problem:
            log.warning("the database does not answer", problem=str(problem).partition("\n")[0])
            time.sleep(PAUSE_SECONDS)

    def _catch_up(self, channels: list[Channel]) -> None:
        progressing: dict[UUID, ProgressChannel] = {}
        tips = {channel.topic.name: channel.window.tip for channel in channels}
        for channel in channels:
            if isinstance(channel, ProgressChannel):
                progressing[channel.topic.id] = channel
        with transaction() as session:
            numbers = replay.standing(session, [channel.topic for channel in channels])
            progress = replay.read_progress(session, progressing) if progressing else {}
        for channel in channels:
            if channel.topic.name in numbers:
                channel.catch_up(numbers[channel.topic.name])
        for run_id, known in progress.items():
            channel = progressing[run_id]
            # What came over the stream meanwhile is newer than what was read.
            if channel.window.tip == tips[channel.topic.name]:
                channel.note(known)

    def _watch_sockets(self) -> None:
        time.sleep(1.0)
        for session in list(self.sessions):
            if session.connection.unread_messages > MOST_UNREAD_MESSAGES:
                session.leave(FLOOD)
            if session.is_too_slow:
                session.leave(TOO_SLOW)
            is_leaving = session.farewell is not None
            if is_leaving and time.monotonic() - session.left_at > LAST_WORDS_SECONDS:
                session.connection.cut()


def in_background(name: str, duty: Callable[[], None]) -> None:
    """Do something over and over, whatever happens."""
    Thread(target=_for_ever, args=(name, duty), name=name, daemon=True).start()


def _for_ever(name: str, duty: Callable[[], None]) -> None:
    while True:
        try:
            duty()
        except Exception:
            log.exception("a duty of the live hub failed", duty=name)
            time.sleep(PAUSE_SECONDS)
