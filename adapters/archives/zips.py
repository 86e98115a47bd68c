"""Reads the members of a zip."""

import io
import stat
import zlib
from collections.abc import Iterator
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from adapters.archives.limits import MIB, HostileArchive, Tally, as_damage
from adapters.archives.members import Member

MAGIC = b"PK\x03\x04"
CHUNK = MIB
LARGEST_DIRECTORY = 4 * MIB
ENCRYPTED = 0x1 | 0x40 | 0x2000
DAMAGE = (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


def members(file: BinaryIO, tally: Tally) -> Iterator[Member]:
    with as_damage("zip", DAMAGE), ZipFile(_Frugal(file)) as archive:
        for info in archive.infolist():
            yield _member(archive, info, tally)


def _member(archive: ZipFile, info: ZipInfo, tally: Tally) -> Member:
    # zipfile cuts names at a NUL; the original is what has to be judged
    name = info.orig_filename
    mode = info.external_attr >> 16
    if info.flag_bits & ENCRYPTED:
        raise HostileArchive(f"{name!r}: the member is encrypted")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise HostileArchive(f"{name!r}: neither a regular file nor a folder")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise HostileArchive(f"{name!r}: only stored and deflated members are read")
    if info.is_dir() or stat.S_ISDIR(mode):
        if info.file_size:
            raise HostileArchive(f"{name!r}: a folder that holds bytes")
        return Member(name, is_folder=True)
    return Member(
        name,
        is_folder=False,
        executable=bool(mode & stat.S_IXUSR),
        chunks=_chunks(archive, info, tally),
    )


def _chunks(archive: ZipFile, info: ZipInfo, tally: Tally) -> Iterator[bytes]:
    with as_damage("zip", DAMAGE), archive.open(info) as content:
        while chunk := content.read(CHUNK):
            tally.count(len(chunk), repr(info.filename))
            yield chunk


class _Frugal(io.BufferedReader):
    """Refuses the one huge read by which zipfile takes in a table of contents of any size."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(io.FileIO(file.fileno(), closefd=False))

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > LARGEST_DIRECTORY:
            raise HostileArchive("the zip's table of contents is too large")
        return super().read(size)
