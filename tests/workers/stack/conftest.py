"""A small stack: our own story and servers, with toys in place of our applications."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from workers.stack.folder import CHECKOUT
from workers.stack.ports import free_port

STORY = (
    "import sys, pathlib; from workers.stack.__main__ import main; main(pathlib.Path(sys.argv[1]))"
)
READY = "Ctrl-C stops everything."

# Each toy answers as its original would, and worker-toy leaves a child that does not
# heed TERM and one that left the session.
PROCFILE = """\
web: python -m http.server ${PORT_WEB} --bind 127.0.0.1 --directory doors
live: python -m http.server ${PORT_LIVE} --bind 127.0.0.1 --directory doors
worker-toy: sh -c "(trap '' TERM; exec sleep 600) & setsid sleep 600 & wait"
"""


@dataclass
class Toy:
    """A stack in a folder of its own, driven from outside as a person would."""

    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start it; what it says until it is ready or has ended."""
        self.process = self.open()
        said = ""
        for line in self.process.stdout:
            said += line
            if READY in line:
                break
        return said

    def open(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", STORY, str(self.folder / "Procfile")],
            env=self.environment,
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=90)
        return self.process.returncode

    def processes(self) -> list[psutil.Process]:
        """Every process whose environment or command line speaks of the folder."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        if process.pid == os.getpid():
            return False
        try:
            told = f"{process.cmdline()} {process.environ()}"
        except psutil.Error:
            return False
        return str(self.folder) in told


@pytest.fixture
def toy() -> Iterator[Toy]:
    # Not pytest's folder, which other accounts may not walk through.
    folder = Path(tempfile.mkdtemp(prefix="runyard-toy-", dir="/tmp"))
    folder.chmod(0o711)
    (folder / "doors").mkdir()
    for door in ("readyz", "livez"):
        (folder / "doors" / door).touch()
    (folder / "Procfile").write_text(PROCFILE.replace("doors", str(folder / "doors")))
    toy = Toy(folder, _environment(folder))
    yield toy
    for process in toy.processes():
        process.kill()
    shutil.rmtree(folder)


def _environment(folder: Path) -> dict[str, str]:
    ports = {name: str(free_port()) for name in ("WEB", "LIVE", "FLOWER", "POSTGRES", "VALKEY")}
    given = {f"PORT_{name}": port for name, port in ports.items()}
    ignored = ("DATABASE_URL", "REDIS_URL", "RUNYARD_SECRET_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in ignored}
    return {
        **kept,
        **given,
        "RUNYARD_DATA_DIR": str(folder / "data"),
        "RUNYARD_HOST": folder.name,
        "RUNYARD_STOP_GRACE_SECONDS": "1",
        "PYTHONUNBUFFERED": "1",
    }
