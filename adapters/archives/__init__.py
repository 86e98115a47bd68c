"""Archives from strangers, looked into or unpacked without trusting anything they say.

The extractors of the standard library are not used: they have been led outside their folder
(CVE-2025-4517) and know no limits. Here every member is a regular file or a folder, every name is
checked, every folder is entered by its handle and never through a link, and what is counted are
the bytes that came out, not the sizes a header claims.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from adapters.archives import tars, zips
from adapters.archives.limits import ArchiveLimits, HostileArchive, Tally
from adapters.archives.members import Member
from adapters.archives.names import Names
from adapters.archives.planting import plant, vacant

__all__ = ["ArchiveLimits", "ArchiveListing", "ArchivedFile", "HostileArchive", "inspect", "unpack"]


@dataclass(frozen=True)
class ArchivedFile:
    path: str
    size: int
    executable: bool


@dataclass(frozen=True)
class ArchiveListing:
    """What an archive holds, counted by reading all of it."""

    kind: str
    files: tuple[ArchivedFile, ...]
    total_bytes: int


def inspect(archive: Path, limits: ArchiveLimits | None = None) -> ArchiveListing:
    """Read an archive to its end, write nothing, and say what unpacking would give.

    :raises HostileArchive: what is wrong with it, and with which member.
    """
    files = []
    with _opened(archive, limits or ArchiveLimits()) as (kind, members):
        for member in members:
            size = sum(len(chunk) for chunk in member.chunks)
            if not member.is_folder:
                files.append(ArchivedFile("/".join(member.parts), size, member.executable))
    return ArchiveListing(kind, tuple(files), sum(file.size for file in files))


def unpack(archive: Path, into: Path, *, limits: ArchiveLimits | None = None) -> list[str]:
    """Unpack an archive into a new or empty folder and return the paths of its files.

    A refused archive leaves nothing behind.

    :raises HostileArchive: what is wrong with it, and with which member.
    :raises FileExistsError: the folder holds something already.
    """
    planted = []
    with vacant(into) as folder, _opened(archive, limits or ArchiveLimits()) as (_, members):
        for member in members:
            plant(member, folder)
            if not member.is_folder:
                planted.append("/".join(member.parts))
    return planted


@contextmanager
def _opened(archive: Path, limits: ArchiveLimits) -> Iterator[tuple[str, Iterator[Member]]]:
    with archive.open("rb") as file:
        tally = Tally(limits, archive_bytes=archive.stat().st_size)
        kind, members = _members(file, tally)
        yield kind, Names(limits).checked(members)


def _members(file: BinaryIO, tally: Tally) -> tuple[str, Iterator[Member]]:
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(zips.MAGIC):
        return "zip", zips.members(file, tally)
    if magic.startswith(tars.MAGIC):
        return "tar.gz", tars.members(file, tally)
    raise HostileArchive("the file is neither a .zip nor a .tar.gz archive")
