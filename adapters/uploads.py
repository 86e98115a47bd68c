"""Taking in an uploaded archive: bounded, checked to its end, then stored by its digest."""

import hashlib
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from adapters.archives import inspect
from domain.errors import TooLarge
from domain.ports import ArtifactStore

CHUNK = 1 << 20


@dataclass(frozen=True)
class Received:
    """What was taken in."""

    kind: str
    size: int
    sha256: str
    files: list[dict[str, Any]]


def receive_archive(
    content: BinaryIO, artifacts: ArtifactStore, folder: str, *, limit: int
) -> Received:
    """Store an archive below a folder of the store, under its digest.

    :raises TooLarge: it is longer than the limit. :raises HostileArchive: it must not be
        unpacked. Nothing is kept of a refused one.
    """
    with tempfile.TemporaryDirectory(prefix="runyard-upload-") as scratch:
        archive = Path(scratch) / "archive"
        sha256, size = _save(content, archive, limit)
        listing = inspect(archive)
        with archive.open("rb") as checked:
            artifacts.put(f"{folder}/{sha256}", checked, limit=limit)
    return Received(listing.kind, size, sha256, [asdict(file) for file in listing.files])


def _save(content: BinaryIO, target: Path, limit: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as file:
        while chunk := content.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"a source archive may have {limit} bytes at most")
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest(), size
