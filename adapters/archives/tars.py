"""Reads the members of a gzipped tar, as a stream: forwards, once."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, Self, cast

from adapters.archives.limits import MIB, HostileArchive, Tally, as_damage
from adapters.archives.members import Member

MAGIC = b"\x1f\x8b"
CHUNK = MIB
LARGEST_HEADER = MIB
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)
DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, OverflowError)


def members(file: BinaryIO, tally: Tally) -> Iterator[Member]:
    with as_damage("tar.gz", DAMAGE), gzip.GzipFile(fileobj=file, mode="rb") as unzipped:
        yield from _members(_Metered(unzipped, tally))


def _members(stream: "_Metered") -> Iterator[Member]:
    stream.expect(LARGEST_HEADER)
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictInfo) as archive:
        while info := archive.next():
            stream.where = repr(info.name)
            yield _member(archive, info, stream)
            stream.expect(LARGEST_HEADER)
    # the checksum of the gzip stands at its end
    while stream.read(CHUNK):
        pass


def _member(archive: tarfile.TarFile, info: tarfile.TarInfo, stream: "_Metered") -> Member:
    if info.isdir():
        return Member(info.name, is_folder=True)
    if info.type not in PLAIN or info.issparse():
        raise HostileArchive(f"{info.name!r}: neither a regular file nor a folder")
    content = cast("IO[bytes]", archive.extractfile(info))
    stream.expect(info.size + LARGEST_HEADER)
    return Member(
        info.name,
        is_folder=False,
        executable=bool(info.mode & 0o100),
        chunks=_chunks(content),
    )


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    with as_damage("tar.gz", DAMAGE):
        while chunk := content.read(CHUNK):
            yield chunk


class _StrictInfo(tarfile.TarInfo):
    """Makes a header that is broken an error; tarfile takes it for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as problem:
            if not any(buf):
                raise
            raise HostileArchive(f"the tar.gz is damaged: {problem}") from None


class _Metered(io.BufferedIOBase):
    """Counts what comes out of the gzip, headers too, which can be bombs of their own."""

    def __init__(self, source: gzip.GzipFile, tally: Tally) -> None:
        self.where = "the first member"
        self._source = source
        self._tally = tally
        self._expected = 0

    def expect(self, size: int) -> None:
        """Say how much may be read until the next call."""
        self._expected = size

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = self._source.read(size)
        self._expected -= len(chunk)
        if self._expected < 0:
            raise HostileArchive(f"after {self.where}: a header that is too large")
        self._tally.count(len(chunk), self.where)
        return chunk
