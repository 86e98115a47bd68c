"""What the readers of both formats hand on."""

from collections.abc import Iterator
from dataclasses import dataclass, field


def _nothing() -> Iterator[bytes]:
    return iter(())


@dataclass(frozen=True)
class Member:
    """A file or folder; the chunks must be read before the next member is asked for."""

    name: str
    is_folder: bool
    executable: bool = False
    chunks: Iterator[bytes] = field(default_factory=_nothing)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(part for part in self.name.split("/") if part not in ("", "."))
