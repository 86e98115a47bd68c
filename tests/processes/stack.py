"""The processes of Runyard as they really run, short of patience, for tests to watch and kill."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from urllib.error import URLError

from settings import settings
from workers.stack.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LEASE_SECONDS = 4
T = TypeVar("T")


def eventually(look: Callable[[], T], *, within: float = 20.0, every: float = 0.05) -> T:
    """What a look gives once it gives something; fails when it does not within so many seconds."""
    deadline = time.monotonic() + within
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(every)
    return seen


class Stack:
    """Web, Celery worker, dispatcher and launcher as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            **os.environ,
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "RUNYARD_DATA_DIR": str(folder),
            "RUNYARD_ARTIFACTS_DIR": str(settings().artifacts_path),
            "RUNYARD_RUNS_DIR": str(ROOT / ".runyard-test" / "runs"),
            "RUNYARD_PUBLIC_URL": self.url,
            "RUNYARD_LEASE_SECONDS": str(LEASE_SECONDS),
            "RUNYARD_RESEND_SECONDS": "1",
            "RUNYARD_SLOTS": "3",
        }
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        self.commands = {
            "web": f"granian --interface wsgi --no-ws --host 127.0.0.1 --port {port} "
            "--workers 1 --blocking-threads 4 --respawn-failed-workers wsgi:app",
            "worker": "celery -A celery_config worker -n journey@%h -c 2 --without-gossip "
            "--without-mingle -Q control,runs,exports,upkeep",
            "dispatcher": "python -m workers.dispatcher",
            "launcher": "python -m workers.launcher",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in self.commands:
            self.start(name)
        eventually(self._is_up, within=60)

    def start(self, name: str) -> None:
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name].split(),
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """As the kernel does when memory runs out: the process and its children, unasked."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def revive(self) -> None:
        """Start again what was killed, and what left to be started again, as a keeper would."""
        for name in [name for name, p in self.processes.items() if p.poll() is not None]:
            self.kill(name)
        for name in self.commands.keys() - self.processes.keys():
            self.start(name)
        eventually(self._is_up, within=60)

    def stop(self) -> None:
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _is_up(self) -> bool:
        for name, process in self.processes.items():
            log = self.folder / "logs" / f"{name}.log"
            assert process.poll() is None, f"{name} ended:\n{log.read_text()[-2000:]}"
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5):
                return (self.folder / "launcher.sock").exists()
        except (URLError, OSError):
            return False
