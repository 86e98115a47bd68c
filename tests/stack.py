"""The whole of Runyard as it really runs, short of patience, for tests to watch and kill.

Servers, folder and ports are the stack's own, so that neither another test nor another
installation on this machine is disturbed by what its processes do. What dies is started again, as
by the keeper of ``make run``, unless a test keeps it away.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import requests

from adapters.processes import kill_all, processes
from adapters.workspaces import choose_runs_root
from models.migrating import upgrade
from tests.servers import CARELESS, FORGETFUL
from workers.runner.marks import INSTALLATION, installation_of
from workers.stack import engines
from workers.stack.account import server_account
from workers.stack.pieces import Ledger
from workers.stack.ports import free_port
from workers.stack.postgres import Postgres, start_postgres
from workers.stack.valkey import Valkey, start_valkey

ROOT = Path(__file__).resolve().parents[1]
# Runtimes stay from session to session; building one takes longer than any test.
RUNS = ROOT / ".runyard-test" / "runs"
LEASE_SECONDS = 3
GRACE_SECONDS = 5
SLOTS = 3
KEEP_SECONDS = 0.1
T = TypeVar("T")


def eventually(look: Callable[[], T], *, within: float = 20.0, every: float = 0.05) -> T:
    """What a look gives once it gives something; fails when it does not within so many seconds."""
    deadline = time.monotonic() + within
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(every)
    return seen


class Engines:
    """A PostgreSQL and a Valkey that can be stopped and started, each with what it kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger(folder / "pieces.json")
        account = server_account()
        self.postgres = Postgres(
            programs=engines.postgres_programs(account, folder / "engines"),
            folder=folder / "postgres",
            account=account,
            port=free_port(),
            password=secrets.token_urlsafe(),
            owner_password=secrets.token_urlsafe(),
        )
        self.valkey = Valkey(
            program=engines.valkey_program(account, folder / "engines"),
            folder=folder / "valkey",
            account=account,
            port=free_port(),
            password=secrets.token_urlsafe(),
        )

    def start(self, name: str) -> None:
        log = self.folder / "logs" / f"{name}.log"
        if name == "postgres":
            start_postgres(self.postgres, self.ledger, log=log, tuning=CARELESS)
        else:
            start_valkey(self.valkey, self.ledger, log=log, keeping=FORGETFUL)

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.ledger.pieces[name].pid, number)

    def end(self, name: str) -> None:
        self.ledger.end(name, within=10)


class Stack:
    """Web, live, one worker for all queues, beat, dispatcher, launcher, and their servers."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="runyard-stack-", dir="/tmp"))
        self.folder.chmod(0o711)
        (self.folder / "logs").mkdir()
        self.engines = Engines(self.folder)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._away: set[str] = set()
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        web, live = free_port(), free_port()
        self.url = f"http://127.0.0.1:{web}"
        self.environment = self._compose(live)
        self.commands = {
            "web": f"granian --interface wsgi --http 1 --no-ws --host 127.0.0.1 --port {web} "
            "--workers 1 --blocking-threads 8 --respawn-failed-workers wsgi:app",
            "live": "gunicorn --worker-class gevent --workers 1 --graceful-timeout 5 "
            f"--no-control-socket --worker-tmp-dir /dev/shm --bind 127.0.0.1:{live} wsgi:live",
            "worker": "celery -A celery_config worker -n stack@%h -c 2 --without-gossip "
            "--without-mingle -Q control,runs,exports,upkeep",
            "beat": "celery -A celery_config beat --scheduler tasks.timetable:TimetableScheduler "
            "--pidfile= --loglevel INFO",
            "dispatcher": "python -m workers.dispatcher",
            "launcher": "python -m workers.launcher",
        }

    def start(self) -> None:
        for name in ("postgres", "valkey"):
            self.engines.start(name)
        upgrade(self.engines.postgres.url)
        for name in self.commands:
            self._start(name)
        self._keeper.start()
        self.wait_until_up()

    def stop(self) -> None:
        """End everything, the runs too, and leave nothing on disk but the runtimes."""
        self._ended.set()
        if self._keeper.is_alive():
            self._keeper.join()
        workspaces = self._workspaces()
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + 5
        while any(process.poll() is None for process in self._processes.values()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        kill_all(self._ours)
        for process in self._processes.values():
            process.wait()
        self.engines.ledger.end_all(within=10)
        for place in (*workspaces, self.folder):
            shutil.rmtree(place, ignore_errors=True)

    def kill(self, name: str) -> None:
        """As the kernel does when memory runs out: the process and its children, unasked."""
        with self._lock:
            process = self._processes[name]
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """A time in which a process is dead and nobody starts it again."""
        with self._lock:
            self._away.add(name)
            self.kill(name)
        try:
            yield
        finally:
            self._away.discard(name)

    def is_alive(self, name: str) -> bool:
        return self._processes[name].poll() is None

    def wait_until_up(self) -> None:
        eventually(self._is_up, within=60)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What stands in the database; asked apart from everything that is tested."""
        with psycopg.connect(self.engines.postgres.url, connect_timeout=3) as connection:
            return connection.execute(statement, values).fetchall()

    def logs(self, most: int = 3000) -> str:
        """The end of what each process said."""
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-most:]}"
            for log in sorted((self.folder / "logs").glob("*.log"))
        )

    def _start(self, name: str) -> None:
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self.commands[name].split(),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _keep(self) -> None:
        while not self._ended.wait(KEEP_SECONDS):
            with self._lock:
                for name, process in self._processes.items():
                    if name not in self._away and process.poll() is not None:
                        self._start(name)

    def _is_up(self) -> bool:
        try:
            answers = [requests.get(f"{door}/readyz", timeout=5) for door in (self.url, self.live)]
        except requests.ConnectionError:
            return False
        is_ready = all(answer.ok for answer in answers)
        return is_ready and (self.folder / "launcher.sock").exists() and self._worker_is_up()

    def _worker_is_up(self) -> bool:
        log = self.folder / "logs" / "worker.log"
        return " ready." in log.read_text(errors="replace")

    def _ours(self) -> list[Any]:
        """Every process of the stack, in whatever session it is by now."""
        marks = {
            ("RUNYARD_DATA_DIR", str(self.folder)),
            (INSTALLATION, installation_of(self.folder)),
        }
        return [process for process in processes() if marks & process.variables().items()]

    def _workspaces(self) -> list[Path]:
        root = choose_runs_root(RUNS)
        with suppress(psycopg.Error):
            return [root / run.hex for (run,) in self.rows("select id from runs")]
        return []

    def _compose(self, live: int) -> dict[str, str]:
        self.live = f"http://127.0.0.1:{live}"
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("RUNYARD_")
        }
        return {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": self.engines.postgres.url,
            "REDIS_URL": self.engines.valkey.url,
            "RUNYARD_SECRET_KEY": secrets.token_urlsafe(48),
            "RUNYARD_DATA_DIR": str(self.folder),
            "RUNYARD_RUNS_DIR": str(RUNS),
            "RUNYARD_PUBLIC_URL": self.url,
            "RUNYARD_LIVE_URL": f"ws://127.0.0.1:{live}",
            "RUNYARD_HOST": f"stack-{os.getpid()}",
            "RUNYARD_SLOTS": str(SLOTS),
            "RUNYARD_LEASE_SECONDS": str(LEASE_SECONDS),
            "RUNYARD_RESEND_SECONDS": "1",
            "RUNYARD_STOP_GRACE_SECONDS": str(GRACE_SECONDS),
            "RUNYARD_LOG_BYTES": str(2**20),
        }
