"""From bytes to the numbered lines of a log, within a bound."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_LINE = 64 * 1024
LAST_LINES = 200
LINE_COST = 64
CONTINUES = " […]"


class Stream(StrEnum):
    STDOUT = "stdout"
    STDERR = "stderr"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a run's log; a gap in the numbers is lines that were dropped."""

    number: int
    stream: Stream
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class _Raw:
    number: int
    stream: Stream
    at: datetime
    content: bytes
    continues: bool

    def line(self) -> Line:
        # PostgreSQL stores no NUL in a text
        text = self.content.replace(b"\0", b"").decode(errors="replace")
        return Line(self.number, self.stream, self.at, text + CONTINUES * self.continues)


class LineLog:
    """Numbers lines and keeps them up to a limit; of the rest it keeps the count and the end.

    A line counts with its bytes and ``LINE_COST``, so that empty lines have a bound too.
    """

    def __init__(self, keep_bytes: int, now: Callable[[], datetime]) -> None:
        self.now = now
        self._room = keep_bytes
        self._number = 0
        self._last_kept = 0
        self._waiting: list[Line] = []
        self._last: deque[_Raw] = deque(maxlen=LAST_LINES)

    @property
    def is_full(self) -> bool:
        return self._room <= 0

    def add(self, stream: Stream, at: datetime, content: bytes, *, continues: bool) -> None:
        self._number += 1
        raw = _Raw(self._number, stream, at, content, continues)
        if self.is_full:
            self._last.append(raw)
        else:
            self._room -= len(content) + LINE_COST
            self._keep(raw.line())

    def skip(self, count: int) -> None:
        """Count lines that will not be kept."""
        self._number += count

    def take(self) -> list[Line]:
        taken, self._waiting = self._waiting, []
        return taken

    def end(self) -> None:
        """Say how much was dropped and hand out the end of it."""
        last, self._last = [raw.line() for raw in self._last], deque(maxlen=LAST_LINES)
        first = last[0] if last else None
        dropped = first.number - self._last_kept - 1 if first else 0
        if first and dropped:
            text = f"… {dropped:,} lines dropped: the log's limit was reached …"
            self._waiting.append(Line(first.number - 1, Stream.NOTE, first.at, text))
        self._waiting.extend(last)

    def _keep(self, line: Line) -> None:
        self._last_kept = line.number
        self._waiting.append(line)


class Splitter:
    """Cuts what one pipe delivers into lines, and a progress bar down to its last state."""

    def __init__(self, stream: Stream, log: LineLog) -> None:
        self._stream = stream
        self._log = log
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        at = self._log.now()
        *complete, rest = (self._rest + chunk).split(b"\n")
        if self._log.is_full and len(complete) > LAST_LINES:
            self._log.skip(len(complete) - LAST_LINES)
            complete = complete[-LAST_LINES:]
        for content in complete:
            self._add(at, content)
        self._rest = self._shorten(at, rest)

    def end(self) -> None:
        """Take what came without a last line feed for a line."""
        if self._rest:
            self._add(self._log.now(), self._rest)
            self._rest = b""

    def _add(self, at: datetime, content: bytes) -> None:
        content = self._shorten(at, last_state(content))
        self._log.add(self._stream, at, content.rstrip(b"\r"), continues=False)

    def _shorten(self, at: datetime, content: bytes) -> bytes:
        """Give off whole pieces of a line too long to be kept as one; return what remains."""
        if len(content) <= LONGEST_LINE:
            return content
        content = last_state(content)
        while len(content) > LONGEST_LINE:
            cut = character_boundary(content, LONGEST_LINE)
            self._log.add(self._stream, at, content[:cut], continues=True)
            content = content[cut:]
        return content


def last_state(content: bytes) -> bytes:
    """What a terminal would show at the end of a line that returned to its start."""
    return content[content.rstrip(b"\r").rfind(b"\r") + 1 :]


def character_boundary(content: bytes, cut: int) -> int:
    """The last place at or before the cut that doesn't split a UTF-8 character."""
    boundary = cut
    while cut - boundary < 4 and content[boundary] & 0xC0 == 0x80:
        boundary -= 1
    return boundary if cut - boundary < 4 else cut
