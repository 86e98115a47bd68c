"""Puts members on disk, by folder handles only, so that no link can lead elsewhere."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from adapters.archives.members import Member

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def vacant(path: Path) -> Iterator[int]:
    """The handle of a new or empty folder, emptied again when the work within it fails.

    :raises FileExistsError: it holds something already.
    """
    is_new = not path.exists()
    path.mkdir(mode=0o755, exist_ok=True)
    if any(path.iterdir()):
        raise FileExistsError(f"{path} is not empty")
    handle = os.open(path, FOLDER)
    try:
        yield handle
    except BaseException:
        _clear(path)
        if is_new:
            path.rmdir()
        raise
    finally:
        os.close(handle)


def plant(member: Member, folder: int) -> None:
    """Write one member below the folder of this handle."""
    *above, name = member.parts
    with ExitStack() as handles:
        for part in above:
            folder = _enter(part, folder)
            handles.callback(os.close, folder)
        if member.is_folder:
            os.close(_enter(name, folder))
        else:
            _write(member, name, folder)


def _enter(name: str, folder: int) -> int:
    with suppress(FileExistsError):
        os.mkdir(name, 0o755, dir_fd=folder)
    handle = os.open(name, FOLDER, dir_fd=folder)
    os.fchmod(handle, 0o755)
    return handle


def _write(member: Member, name: str, folder: int) -> None:
    mode = 0o755 if member.executable else 0o644
    handle = os.open(name, NEW_FILE, mode, dir_fd=folder)
    with closing(os.fdopen(handle, "wb")) as file:
        os.fchmod(handle, mode)
        for chunk in member.chunks:
            file.write(chunk)


def _clear(path: Path) -> None:
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
