"""Which names an archive may use: relative, plain, not too deep, and each only once."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from unicodedata import category, normalize

from adapters.archives.limits import ArchiveLimits, HostileArchive
from adapters.archives.members import Member

DRIVE = re.compile(r"[A-Za-z]:")
LONGEST_PART = 255


class Names:
    """Watches the names of one archive go by.

    Names that differ only in case or in Unicode composition count as the same, because on some
    file systems they are.
    """

    def __init__(self, limits: ArchiveLimits) -> None:
        self._limits = limits
        self._files: set[str] = set()
        self._folders: dict[str, str] = {}

    def checked(self, members: Iterator[Member]) -> Iterator[Member]:
        """Let through what may be unpacked.

        :raises HostileArchive: at the first name that may not.
        """
        for member in members:
            refuse_unsafe(member, depth=self._limits.depth)
            if member.parts:
                self._enter(member)
                yield member

    def _enter(self, member: Member) -> None:
        path = PurePosixPath(*member.parts)
        for folder in reversed(path.parents[:-1]):
            self._enter_folder(str(folder))
        if member.is_folder:
            self._enter_folder(str(path))
        else:
            self._enter_file(str(path))
        if max(len(self._files), len(self._folders)) > self._limits.files:
            raise HostileArchive(f"the archive holds more than {self._limits.files} files")

    def _enter_file(self, path: str) -> None:
        folded = _folded(path)
        if folded in self._files or folded in self._folders:
            raise HostileArchive(f"{path!r}: the archive holds this name twice")
        self._files.add(folded)

    def _enter_folder(self, path: str) -> None:
        folded = _folded(path)
        if folded in self._files or self._folders.setdefault(folded, path) != path:
            raise HostileArchive(f"{path!r}: the archive holds this name twice")


def refuse_unsafe(member: Member, *, depth: int) -> None:
    """:raises HostileArchive: the name leads outside, or is not a plain one."""
    name, parts = member.name, member.parts
    if name.startswith("/") or DRIVE.match(name):
        raise HostileArchive(f"{name!r}: the name is absolute")
    if ".." in parts:
        raise HostileArchive(f"{name!r}: the name leads outside the archive")
    if "\\" in name or any(category(character) in ("Cc", "Cs") for character in name):
        raise HostileArchive(f"{name!r}: the name holds a backslash or a control character")
    if any(len(part.encode()) > LONGEST_PART for part in parts):
        raise HostileArchive(f"{name[:80]!r}…: the name is too long")
    if len(parts) > depth:
        raise HostileArchive(f"{name[:80]!r}: the name is more than {depth} folders deep")
    if not parts and not member.is_folder:
        raise HostileArchive(f"{name!r}: the file has no name")


def _folded(path: str) -> str:
    return normalize("NFC", normalize("NFC", path).casefold())
