"""What the domain needs of the outside world, as protocols that adapters fulfil."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import UUID


@dataclass(frozen=True)
class StoredFile:
    """One entry of the artifact store, by its path below where it was asked for."""

    path: str
    is_directory: bool
    size: int


class ArtifactStore(Protocol):
    """A tree of files under opaque roots that we choose; never a place a client names."""

    def put(self, path: str, content: BinaryIO, *, limit: int) -> StoredFile: ...
    def open(self, path: str) -> BinaryIO: ...
    def stat(self, path: str) -> StoredFile | None: ...
    def list(self, path: str) -> Sequence[StoredFile]: ...
    def walk(self, path: str) -> Iterator[StoredFile]: ...
    def delete(self, path: str) -> None: ...
    def local(self, path: str) -> Path: ...


class Launcher(Protocol):
    """Starts the process that carries an attempt."""

    def launch(self, attempt_id: UUID, token: str) -> int: ...


class Bus(Protocol):
    """Carries news to live listeners; what it loses can be read again elsewhere."""

    def stream(self, events: Sequence[tuple[str, int, bytes]]) -> None: ...
    def tail(self, topic: str, first: int, last: int, items: Sequence[Any]) -> None: ...


@dataclass(frozen=True)
class Ports:
    """All of them, built once per process."""

    artifacts: ArtifactStore
    launcher: Launcher
    bus: Bus
