"""Whether a user without rights could come to a place on disk."""

import stat
from pathlib import Path

ENTER = stat.S_IXOTH
READ = stat.S_IROTH


def anyone_can_enter(folder: Path) -> bool:
    """Whether any user may pass through all of these folders, as far as they exist yet."""
    folder = folder.absolute().resolve()
    return all(
        place.stat().st_mode & ENTER for place in (folder, *folder.parents) if place.exists()
    )


def anyone_can_execute(program: Path) -> bool:
    program = program.absolute().resolve()
    if not program.is_file() or not anyone_can_enter(program.parent):
        return False
    return program.stat().st_mode & (ENTER | READ) == ENTER | READ
