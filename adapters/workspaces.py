"""Where attempts work: a fresh folder each, and checkpoints that stay with the run.

::

    <root>/<run>/attempts/<attempt>/{source,tmp,home}    the attempt's user alone may enter
    <root>/<run>/checkpoints                             passes from attempt to attempt
"""

import hashlib
import os
import shutil
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from adapters.reach import anyone_can_enter

# the range that systemd reserves for users who exist only as long as a process does
RUN_UIDS = range(61184, 65520)
PASS_ONLY = 0o711
OPEN_PLACE = Path("/var/tmp")  # noqa: S108  whose folder it is there is checked
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafeRoot(Exception):
    """The folder for runs belongs to somebody else or can be changed by others."""


@dataclass(frozen=True)
class Workspace:
    """The folders of one attempt."""

    path: Path
    checkpoints: Path
    uid: int | None

    @property
    def source(self) -> Path:
        return self.path / "source"

    @property
    def tmp(self) -> Path:
        return self.path / "tmp"

    @property
    def home(self) -> Path:
        return self.path / "home"


def choose_uid(attempt_number_seed: int) -> int | None:
    """A user of its own for an attempt, where we may become another; else None."""
    if os.geteuid() != 0:
        return None
    return RUN_UIDS[attempt_number_seed % len(RUN_UIDS)]


def choose_runs_root(preferred: Path) -> Path:
    """The preferred folder, or one in /var/tmp when the users of runs could not enter it.

    It is made if need be.

    :raises UnsafeRoot: somebody else has made it, or could change what is in it.
    """
    root = preferred
    if os.geteuid() == 0 and not anyone_can_enter(preferred.parent):
        digest = hashlib.sha256(str(preferred.absolute()).encode()).hexdigest()[:16]
        root = OPEN_PLACE / f"runyard-{digest}"
    root.mkdir(parents=True, exist_ok=True)
    found = root.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise UnsafeRoot(f"{root} is not a folder of ours; set another one for runs")
    root.chmod(PASS_ONLY)
    return root


def prepare_workspace(root: Path, run_id: UUID, attempt_id: UUID, uid: int | None) -> Workspace:
    """Make the folders of an attempt and hand the run's checkpoints over to its user.

    :raises FileExistsError: this attempt has a workspace already.
    """
    run = root / run_id.hex
    for folder in (run, run / "attempts"):
        folder.mkdir(exist_ok=True)
        folder.chmod(PASS_ONLY)
    workspace = Workspace(run / "attempts" / attempt_id.hex, run / "checkpoints", uid)
    workspace.path.mkdir(mode=0o700)
    for folder in (workspace.source, workspace.tmp, workspace.home):
        folder.mkdir(mode=0o700)
    workspace.checkpoints.mkdir(mode=0o700, exist_ok=True)
    hand_over(workspace.path, uid)
    hand_over(workspace.checkpoints, uid)
    return workspace


def hand_over(path: Path, uid: int | None) -> None:
    """Make a user the owner of a folder and all in it, without following a link.

    Files with several names are left alone: one of them may be somebody else's file.
    """
    if uid is None:
        return
    for _, _, files, folder in os.fwalk(path, follow_symlinks=False):
        os.fchown(folder, uid, uid)
        for name in files:
            _give_file(name, folder, uid)


def remove_workspace(root: Path, path: Path) -> None:
    """Remove a workspace, or a run with all of its own; a link is removed, not followed.

    :raises ValueError: the path is not below the root.
    """
    inside = path.absolute().relative_to(root.absolute()).parts
    if not inside or ".." in inside:
        raise ValueError(f"{path} is not below {root}")
    if path.is_symlink():
        path.unlink()
        return
    if path.exists():
        _unlock(path)
        shutil.rmtree(path)
    for above in (path.parent, path.parent.parent):
        if above != root and root in above.parents:
            with suppress(OSError):
                above.rmdir()


def old_workspaces(root: Path, *, seconds: float) -> list[Path]:
    """The workspaces last changed longer ago than this, oldest first.

    One of them may still be in use: only the database knows.
    """
    changed_before = time.time() - seconds
    found = [(_changed_at(path), path) for path in root.glob("*/attempts/*")]
    return [path for changed_at, path in sorted(found) if changed_at < changed_before]


def _changed_at(path: Path) -> float:
    with suppress(FileNotFoundError):
        return path.lstat().st_mtime
    return time.time()


def _give_file(name: str, folder: int, uid: int) -> None:
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        os.chown(name, uid, uid, dir_fd=folder, follow_symlinks=False)
        return
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        # judged by its handle, so that it can't be exchanged in between
        if os.fstat(handle).st_nlink == 1:
            os.fchown(handle, uid, uid)
    finally:
        os.close(handle)


def _unlock(path: Path) -> None:
    """Let ourselves into folders that the user's code has locked, where we are no more than it."""
    if os.geteuid() == 0:
        return
    for place, folders, _ in os.walk(path):
        for name in folders:
            folder = os.path.join(place, name)
            if not os.path.islink(folder):
                os.chmod(folder, 0o700)
