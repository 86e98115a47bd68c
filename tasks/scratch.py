"""Room for what is in the making, and clearing up after workers that were killed over it."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settings import settings

# No task is let work longer than an hour.
ABANDONED_SECONDS = 2 * 3600.0


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder of one's own for as long as the block takes."""
    _room().mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=_room()) as folder:
        yield Path(folder)


def remove_abandoned() -> None:
    """Remove the folders of workers that could not do it themselves."""
    for folder in _room().glob("*"):
        if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _room() -> Path:
    return Path(settings().data_dir) / "scratch"
