"""How much an archive may be, and the running count that holds it to that."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from domain.errors import Invalid

MIB = 2**20


class HostileArchive(Invalid):
    """The archive holds something that must not be unpacked; the message says what and where."""

    code = "hostile_archive"


@contextmanager
def as_damage(kind: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Tell what a reader of the standard library stumbled over as a fault of the archive."""
    try:
        yield
    except errors as problem:
        raise HostileArchive(f"the {kind} is damaged: {problem}") from None


@dataclass(frozen=True)
class ArchiveLimits:
    """Whatever unpacks to less than ``free_bytes`` may be packed as tightly as it likes."""

    files: int = 2_000
    total_bytes: int = 200 * MIB
    ratio: int = 100
    free_bytes: int = MIB
    depth: int = 16


class Tally:
    """Counts the bytes that really come out and stops at the first one too many."""

    def __init__(self, limits: ArchiveLimits, *, archive_bytes: int) -> None:
        self.limits = limits
        self._archive_bytes = archive_bytes
        self._bytes = 0

    def count(self, size: int, where: str) -> None:
        self._bytes += size
        if self._bytes > self.limits.total_bytes:
            raise HostileArchive(
                f"{where}: the archive unpacks to more than {self.limits.total_bytes} bytes"
            )
        allowed = max(self.limits.free_bytes, self.limits.ratio * self._archive_bytes)
        if self._bytes > allowed:
            raise HostileArchive(
                f"{where}: the archive unpacks to more than {self.limits.ratio} times its size"
            )
