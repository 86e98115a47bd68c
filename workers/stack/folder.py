"""The data folder of a stack: everything one machine keeps, and the lock that says who runs it.

Two kinds of accounts beside ours work below it: the servers' and, when we are root, those of runs.
So the folder itself may be walked through by everyone, while what lies in it opens only to whom
it is for. Root's checkout may be in a private place (below /root); then the folder is made under
/var/lib and ``.runyard`` in the checkout leads there.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.stack.engines import is_traversable
from workers.stack.refusal import CannotStart

CHECKOUT = Path(__file__).resolve().parents[2]
ELSEWHERE = Path("/var/lib/runyard")
LONGEST_PATH = 80  # a unix socket's path ends at 107 characters


@dataclass(frozen=True)
class Folder:
    """Where a stack keeps what."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def artifacts(self) -> Path:
        return self.path / "artifacts"

    @property
    def engines(self) -> Path:
        return self.path / "engines"

    @property
    def pieces(self) -> Path:
        return self.path / "pieces.json"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets.json"

    @property
    def environment(self) -> Path:
        return self.path / "env"

    @property
    def control_socket(self) -> Path:
        return self.path / "supervisor.sock"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


def data_folder(environment: Mapping[str, str]) -> Folder:
    """The data folder as it is, whether or not a stack was started in it."""
    return Folder(Path(environment.get("RUNYARD_DATA_DIR") or CHECKOUT / ".runyard").resolve())


def prepare(environment: Mapping[str, str]) -> Folder:
    """Make the data folder and its parts.

    :raises CannotStart: it cannot be written to, or other accounts cannot walk through it.
    """
    try:
        if not environment.get("RUNYARD_DATA_DIR"):
            _lead_elsewhere_if_private(CHECKOUT / ".runyard")
        folder = data_folder(environment)
        _make(folder)
    except OSError as problem:
        raise CannotStart(
            f"cannot write to the data folder: {problem.strerror}: {problem.filename}; "
            "set RUNYARD_DATA_DIR to a folder of yours"
        ) from None
    _refuse_unusable(folder.path)
    return folder


@contextmanager
def held(folder: Folder) -> Iterator[None]:
    """Hold the data folder for one stack.

    :raises CannotStart: another stack holds it.
    """
    with folder.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotStart(
                f"Runyard already runs here as process {lock.read().strip()}; "
                "end it with Ctrl-C in its terminal, or give this one its own RUNYARD_DATA_DIR"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _make(folder: Folder) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    for path, mode in (
        (folder.path, 0o711),
        (folder.runs, 0o711),
        (folder.logs, 0o700),
        (folder.artifacts, 0o700),
    ):
        path.mkdir(exist_ok=True)
        path.chmod(mode)
    folder.lock.touch(mode=0o600)
    if not os.access(folder.lock, os.W_OK):
        raise PermissionError(13, "Permission denied", str(folder.lock))


def _lead_elsewhere_if_private(default: Path) -> None:
    if os.geteuid() == 0 and not default.exists() and not is_traversable(default.parent):
        elsewhere = ELSEWHERE / _name(default.parent)
        elsewhere.mkdir(parents=True, exist_ok=True)
        # The link may be there already, leading to a folder that has been removed since.
        default.unlink(missing_ok=True)
        default.symlink_to(elsewhere)


def _name(checkout: Path) -> str:
    return f"{checkout.name}-{hashlib.sha256(bytes(checkout)).hexdigest()[:8]}"


def _refuse_unusable(path: Path) -> None:
    if len(bytes(path)) > LONGEST_PATH:
        raise CannotStart(
            f"the path {path} is too long for sockets; set RUNYARD_DATA_DIR to a shorter one"
        )
    if os.geteuid() == 0 and not is_traversable(path):
        raise CannotStart(
            f"{path} is inside a private folder, where servers that are not root's cannot work; "
            "set RUNYARD_DATA_DIR to one that everyone may walk through, such as /var/lib/runyard"
        )
