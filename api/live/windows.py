"""The latest stretch of a topic, kept once per process for all who listen to it."""

from collections import deque
from collections.abc import Iterable
from itertools import takewhile
from typing import NamedTuple

MOST_ITEMS = 1_024
MOST_BYTES = 2**20


class Item(NamedTuple):
    """One numbered item, encoded."""

    number: int
    content: bytes


class Window:
    """All items with numbers above ``floor`` and up to ``tip``, within a bound."""

    def __init__(self, tip: int) -> None:
        self._items: deque[Item] = deque()
        self._bytes = 0
        self.floor = self.tip = tip

    def extend(self, items: Iterable[Item]) -> None:
        """Add what follows the tip; what the window holds already is left out."""
        for item in items:
            if item.number > self.tip:
                self._items.append(item)
                self._bytes += len(item.content)
                self.tip = item.number
        while len(self._items) > MOST_ITEMS or self._bytes > MOST_BYTES:
            oldest = self._items.popleft()
            self._bytes -= len(oldest.content)
            self.floor = oldest.number

    def after(self, position: int) -> list[Item] | None:
        """The items with greater numbers; None when some of them are not held any more."""
        if position < self.floor:
            return None
        newer = list(takewhile(lambda item: item.number > position, reversed(self._items)))
        newer.reverse()
        return newer

    def restart(self, tip: int) -> None:
        """Forget everything up to a number."""
        self._items.clear()
        self._bytes = 0
        self.floor = self.tip = tip

    @property
    def latest(self) -> Item | None:
        return self._items[-1] if self._items else None
