"""The processes a frontend talks to, as the Procfile starts them, but on free ports."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from workers.stack.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0


@contextmanager
def backend() -> Iterator[str]:
    """The web, live and dispatcher processes; gives the address of the API."""
    web, live = free_port(), free_port()
    environment = {**os.environ, "RUNYARD_LIVE_URL": f"ws://127.0.0.1:{live}"}
    commands = [
        "granian --interface wsgi --http 1 --no-ws --host 127.0.0.1"
        f" --port {web} --workers 1 --blocking-threads 4 wsgi:app",
        "gunicorn --worker-class gevent --workers 1 --graceful-timeout 5 --no-control-socket"
        f" --worker-tmp-dir /dev/shm --bind 127.0.0.1:{live} wsgi:live",
        "workers.dispatcher",
    ]
    processes = [_start(command.split(), environment) for command in commands]
    try:
        for port in (web, live):
            _wait_for(f"http://127.0.0.1:{port}/livez")
        yield f"http://127.0.0.1:{web}"
        assert [process.poll() for process in processes] == [None] * len(processes)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(timeout=20)


def _start(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, start_new_session=True
    )


def _wait_for(address: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
