"""Artifacts in a folder of this host.

A file appears under its name only when it is whole: it is written beside it and renamed.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from domain.errors import Invalid, NotFound, TooLarge
from domain.ports import StoredFile

CHUNK = 1 << 20
LONGEST_PATH = 1_000
UNFINISHED = ".part-"


class OddPath(Invalid):
    code = "odd_path"


class LocalArtifacts:
    """An ArtifactStore in one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, path: str, content: BinaryIO, *, limit: int) -> StoredFile:
        """Store a stream. :raises TooLarge: it is longer than the limit; nothing is kept."""
        target = self.local(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise OddPath(f"{path} is a folder")
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=UNFINISHED, delete=False
        ) as part:
            try:
                size = _copy(content, part.file, limit)
                part.flush()
                os.fsync(part.fileno())
                os.replace(part.name, target)
            except BaseException:
                os.unlink(part.name)
                raise
        return StoredFile(path, is_directory=False, size=size)

    def open(self, path: str) -> BinaryIO:
        """:raises NotFound: there is no such file."""
        try:
            return self.local(path).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise NotFound(f"there is no artifact at {path}") from None

    def stat(self, path: str) -> StoredFile | None:
        found = self.local(path)
        return _describe(found, path) if found.exists() else None

    def list(self, path: str) -> Sequence[StoredFile]:
        """The entries of a folder by name; empty when there is no such folder."""
        folder = self.local(path)
        if not folder.is_dir():
            return []
        return [
            _describe(entry, str(PurePosixPath(path) / entry.name))
            for entry in sorted(folder.iterdir())
            if not entry.name.startswith(UNFINISHED)
        ]

    def walk(self, path: str) -> Iterator[StoredFile]:
        """Every file below a folder."""
        for entry in self.list(path):
            if entry.is_directory:
                yield from self.walk(entry.path)
            else:
                yield entry

    def delete(self, path: str) -> None:
        """Remove a file or a tree; one that is not there is no error."""
        target = self.local(path)
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    def local(self, path: str) -> Path:
        """Where a path lies on disk. :raises OddPath: it would leave the store."""
        parts = PurePosixPath(path).parts
        odd = not parts or path.startswith("/") or "\0" in path or "\\" in path
        odd = odd or len(path) > LONGEST_PATH or any(len(os.fsencode(p)) > 255 for p in parts)
        if odd or any(part in ("..", ".") or part.startswith(UNFINISHED) for part in parts):
            raise OddPath(f"{path!r} is not a plain relative path")
        return self.root.joinpath(*parts)


def _copy(source: BinaryIO, target: IO[bytes], limit: int) -> int:
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"a file may have {limit} bytes at most")
        target.write(chunk)
    return size


def _describe(found: Path, path: str) -> StoredFile:
    is_directory = found.is_dir()
    return StoredFile(path, is_directory, 0 if is_directory else found.stat().st_size)
