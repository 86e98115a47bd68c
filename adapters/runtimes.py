"""Runtimes: the Python environments of runs, built once for each set of requirements.

No code of the packages is executed by a build: source distributions are refused, and bytecode is
compiled without reading the ``.pth`` files they may bring. A build leaves its ``READY`` file last;
a folder without one is half a build and is started over.
"""

import fcntl
import hashlib
import os
import shutil
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from adapters.interpreters import describe, find_python
from adapters.requirements import parse_requirements
from adapters.streamed import CommandAbandoned, run_streamed
from domain.errors import DomainError

DEFAULT_REQUIREMENTS = "mlflow-skinny==3.17.2\n"
READY = ".ready"
BUILD_SECONDS = 900.0
LAST_LINES = 20
NOBODY = 65534
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
PASSED_ON = ("PATH", "HOME", "LANG", "SSL_", "UV_", *PROXIES, *(name.lower() for name in PROXIES))


class RuntimeFailed(DomainError):
    """The environment could not be built; the detail ends with what the installer said."""

    code = "runtime_failed"


class RuntimeAbandoned(Exception):
    """Nobody wants the environment any more."""


@dataclass(frozen=True)
class Runtime:
    """An environment that is ready: its folder, its interpreter, and the digest that names it."""

    path: Path
    python: Path
    digest: str


def wanted() -> bool:
    return True


class RuntimeBuilder:
    """Builds runtimes below one folder, which any user must be able to enter.

    Without a ``python`` it takes one that any user can execute, if there is one.
    """

    def __init__(
        self, root: Path, python: str | None = None, *, build_seconds: float = BUILD_SECONDS
    ) -> None:
        self._root = root
        self._python = python or find_python(NOBODY).path
        self._build_seconds = build_seconds

    def ensure(
        self,
        requirements: str,
        *,
        on_line: Callable[[str], None],
        is_wanted: Callable[[], bool] = wanted,
    ) -> Runtime:
        """The runtime for these requirements, built now if there is none yet.

        ``on_line`` hears what the installer says; ``is_wanted`` is asked several times a second.

        :raises RequirementsRefused: they ask for more than plain packages.
        :raises RuntimeFailed: they can't be installed, or not in time.
        :raises RuntimeAbandoned: it is no longer wanted.
        """
        lines = parse_requirements(requirements)
        digest = _digest(lines, describe(self._python))
        runtime = Runtime(self._root / digest, self._root / digest / "bin" / "python", digest)
        ready = runtime.path / READY
        if not ready.exists():
            self._root.mkdir(parents=True, exist_ok=True)
            self._root.chmod(0o755)
            with self._lock(digest, on_line, is_wanted):
                if not ready.exists():
                    self._build(runtime, lines, on_line, is_wanted)
        os.utime(ready)
        return runtime

    @contextmanager
    def _lock(
        self, digest: str, on_line: Callable[[str], None], is_wanted: Callable[[], bool]
    ) -> Iterator[None]:
        with (self._root / f"{digest}.lock").open("w") as file:
            told = False
            while not _try_lock(file.fileno()):
                if not told:
                    on_line("waiting for another run that builds the same environment")
                    told = True
                if not is_wanted():
                    raise RuntimeAbandoned
                time.sleep(0.1)
            yield

    def _build(
        self,
        runtime: Runtime,
        lines: Sequence[str],
        on_line: Callable[[str], None],
        is_wanted: Callable[[], bool],
    ) -> None:
        shutil.rmtree(runtime.path, ignore_errors=True)
        give_up_at = time.monotonic() + self._build_seconds
        said: deque[str] = deque(maxlen=LAST_LINES)

        def hear(line: str) -> None:
            said.append(line)
            on_line(line)

        try:
            for command in self._steps(runtime, lines):
                code = run_streamed(
                    command,
                    cwd=self._root,
                    environment=self._environment(),
                    on_line=hear,
                    go_on=lambda: is_wanted() and time.monotonic() < give_up_at,
                )
                if code != 0:
                    raise RuntimeFailed("the environment could not be built:\n" + "\n".join(said))
            _open_to_all(runtime.path)
            _mark_ready(runtime.path / READY)
        except CommandAbandoned:
            shutil.rmtree(runtime.path, ignore_errors=True)
            if not is_wanted():
                raise RuntimeAbandoned from None
            raise RuntimeFailed(
                f"the environment was not built within {self._build_seconds:.0f} s"
            ) from None
        except BaseException:
            shutil.rmtree(runtime.path, ignore_errors=True)
            raise

    def _steps(self, runtime: Runtime, lines: Sequence[str]) -> Iterator[Sequence[str]]:
        uv = os.fsdecode(find_uv_bin())
        yield [uv, "venv", "--quiet", "--no-project", "--python", self._python, str(runtime.path)]
        if lines:
            wanted_file = runtime.path / "requirements.txt"
            wanted_file.write_text("".join(f"{line}\n" for line in lines))
            python = ["--python", str(runtime.python)]
            yield [uv, "pip", "install", "--no-build", *python, "-r", str(wanted_file)]
        # -S: a .pth file could otherwise run code of the packages as us
        yield [self._python, "-I", "-S", "-m", "compileall", "-q", "-j0", str(runtime.path / "lib")]

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        return ours | {
            "UV_CACHE_DIR": str(self._root / "cache"),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "NO_COLOR": "1",
        }


def _digest(lines: Sequence[str], interpreter: str) -> str:
    return hashlib.sha256("\n".join([interpreter, *lines]).encode()).hexdigest()


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _mark_ready(ready: Path) -> None:
    ready.touch()
    ready.chmod(0o644)


def _open_to_all(folder: Path) -> None:
    """Let any user read and execute all of it, and nobody but the owner write."""
    for place, _, files in os.walk(folder):
        os.chmod(place, 0o755)  # noqa: S103  the users of runs have to read it
        for path in (Path(place, name) for name in files):
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode):
                path.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
