"""One topic as the hub sees it: a window that is fed from a stream and, at holes, from PostgreSQL.

Every listener has a position of its own, so nothing has to be handed over when one joins: what
follows a position is taken from the window, or read when the window does not reach back so far.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec
import orjson

from adapters.redis_streams import Entry
from api.live import replay
from api.live.frames import Tail, event_frame
from api.live.frames import encode as encode_frame
from api.live.topics import Kind, Topic
from api.live.windows import Item, Window

TAIL_SECONDS = 0.1
ITEMS_PER_FRAME = 500
BYTES_PER_FRAME = 128 * 1024
FURTHEST_CATCH_UP = 2_000
RECENT_ENTRIES = 1
PATIENCE_SECONDS = 1.0

Items = msgspec.json.Decoder(list[msgspec.Raw])


class Listener(Protocol):
    """Somebody to be told that a topic has something new."""

    def ring(self, topic: str) -> None: ...


class Channel:
    """What all channels have in common."""

    pace = 0.0
    is_numbered = True
    recent_entries = RECENT_ENTRIES

    def __init__(self, topic: Topic, tip: int) -> None:
        self.topic = topic
        self.window = Window(tip)
        self.listeners: set[Listener] = set()
        self.read_id = "0-0"
        self.wants_filling = False

    def preload(self, entries: Sequence[Entry]) -> None:
        """Take what the stream holds already, before the first listener."""
        if entries:
            self.read_id = entries[-1].id

    def receive(self, entry: Entry) -> None:
        """Take one entry of the stream; a hole before it makes the channel want filling."""
        raise NotImplementedError

    def read(self, position: int) -> list[Item] | None:
        """What follows a position according to PostgreSQL; None if that can't be told."""
        raise NotImplementedError

    def frames(self, items: Sequence[Item]) -> Iterator[tuple[int, bytes]]:
        """Frames that hold the items, each with the number it leads to."""
        raise NotImplementedError

    def after(self, position: int) -> list[Item] | None:
        """What follows a position, from the window or else from PostgreSQL."""
        held = self.window.after(position)
        return held if held is not None else self.read(position)

    def catch_up(self, number: int) -> None:
        """PostgreSQL is as far as this number: be so too."""
        self.wants_filling = False
        if number <= self.window.tip:
            return
        if number - self.window.tip > FURTHEST_CATCH_UP:
            self.window.restart(number)
        while self.window.tip < number:
            found = self.read(self.window.tip)
            if not found:
                self.window.restart(number)
                break
            self.window.extend(found)
        self.ring()

    def ring(self) -> None:
        for listener in self.listeners:
            listener.ring(self.topic.name)

    def _append(self, first: int, items: Iterable[Item]) -> None:
        if first > self.window.tip + 1:
            self.wants_filling = True
            return
        before = self.window.tip
        self.window.extend(items)
        if self.window.tip > before:
            self.ring()


class EventChannel(Channel):
    """Durable news: contiguous numbers, one frame each, encoded once for everybody."""

    def preload(self, entries: Sequence[Entry]) -> None:
        self.read_id = f"{self.window.tip}-0"

    def receive(self, entry: Entry) -> None:
        seq = int(entry.id.partition("-")[0])
        frame = event_frame(self.topic.name, seq, entry.fields[b"news"])
        self._append(seq, [Item(seq, frame)])

    def read(self, position: int) -> list[Item] | None:
        found = replay.read_events(self.topic, position)
        return found if found and found[0].number == position + 1 else None

    def frames(self, items: Sequence[Item]) -> Iterator[tuple[int, bytes]]:
        yield from items


class TailChannel(Channel):
    """Items that go out merged, a few frames a second."""

    pace = TAIL_SECONDS

    def frames(self, items: Sequence[Item]) -> Iterator[tuple[int, bytes]]:
        for part in _portions(items):
            cursor = part[-1].number
            contents = [msgspec.Raw(item.content) for item in part]
            yield cursor, encode_frame(Tail(self.topic.name, cursor, contents))


class LogChannel(TailChannel):
    """Lines of log, all of which can be read again."""

    def receive(self, entry: Entry) -> None:
        first, contents = _numbered(entry)
        lines = [
            Item(number, b"[%d,%s" % (number, content[1:]))
            for number, content in enumerate(contents, first)
        ]
        self._append(first, lines)

    def read(self, position: int) -> list[Item] | None:
        return replay.read_lines(self.topic, position)


class MetricChannel(TailChannel):
    """Points of metrics; they are stored by value, so what is missing can't be read by number."""

    recent_entries = 500

    def __init__(self, topic: Topic, tip: int) -> None:
        super().__init__(topic, tip)
        self._waiting: dict[int, list[Item]] = {}
        self._awaited, self._awaited_since = tip, time.monotonic()

    def preload(self, entries: Sequence[Entry]) -> None:
        super().preload(entries)
        batches = sorted(_points(entry) for entry in entries)
        if batches:
            self.window.restart(batches[0][0] - 1)
        for first, points in batches:
            if first > self.window.tip + 1:
                self.window.restart(first - 1)
            self.window.extend(points)

    def receive(self, entry: Entry) -> None:
        first, points = _points(entry)
        # Batches may be published in another order than they were committed in.
        self._waiting[first] = points
        while ready := [first for first in self._waiting if first <= self.window.tip + 1]:
            for first in sorted(ready):
                self._append(first, self._waiting.pop(first))

    def read(self, position: int) -> list[Item] | None:
        return None

    def catch_up(self, number: int) -> None:
        # A batch is published after its commit, so it may still be on its way.
        self.wants_filling = False
        moment = time.monotonic()
        if self.window.tip >= self._awaited:
            self._awaited, self._awaited_since = number, moment
        elif moment - self._awaited_since > PATIENCE_SECONDS:
            self.window.restart(number)
            self._waiting.clear()
            self.ring()


class ProgressChannel(TailChannel):
    """The latest value; its number is a time in milliseconds."""

    is_numbered = False

    def preload(self, entries: Sequence[Entry]) -> None:
        super().preload(entries)
        for entry in entries:
            self.receive(entry)

    def receive(self, entry: Entry) -> None:
        contents = Items.decode(entry.fields[b"items"])
        if contents:
            self._take(int(entry.id.partition("-")[0]), bytes(contents[-1]))

    def read(self, position: int) -> list[Item] | None:
        return [self.window.latest] if self.window.latest else []

    def after(self, position: int) -> list[Item] | None:
        latest = self.window.latest
        return [latest] if latest and latest.number > position else []

    def note(self, progress: dict[str, Any] | None) -> None:
        """Take what PostgreSQL holds, unless it is known."""
        known = self.window.latest
        if progress is not None and (known is None or orjson.loads(known.content) != progress):
            self._take(int(time.time() * 1000), orjson.dumps(progress))

    def _take(self, number: int, content: bytes) -> None:
        self.window.extend([Item(max(number, self.window.tip + 1), content)])
        self.ring()


CHANNELS: dict[Kind, type[Channel]] = {
    Kind.PROJECT: EventChannel,
    Kind.RUN: EventChannel,
    Kind.LOG: LogChannel,
    Kind.METRICS: MetricChannel,
    Kind.PROGRESS: ProgressChannel,
}


def open_channel(topic: Topic, tip: int) -> Channel:
    """A channel for a topic whose last number is known."""
    return CHANNELS[topic.kind](topic, tip)


def _numbered(entry: Entry) -> tuple[int, list[bytes]]:
    contents = [bytes(raw) for raw in Items.decode(entry.fields[b"items"])]
    return int(entry.fields[b"first"]), contents


def _points(entry: Entry) -> tuple[int, list[Item]]:
    first, contents = _numbered(entry)
    return first, [Item(number, content) for number, content in enumerate(contents, first)]


def _portions(items: Sequence[Item]) -> Iterator[list[Item]]:
    portion: list[Item] = []
    size = 0
    for item in items:
        if portion and (len(portion) == ITEMS_PER_FRAME or size > BYTES_PER_FRAME):
            yield portion
            portion, size = [], 0
        portion.append(item)
        size += len(item.content)
    if portion:
        yield portion
