"""A live process of our own, and an ear that hears what it says."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import websocket

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0


class LiveProcess:
    """gunicorn with gevent, as the Procfile starts it."""

    def __init__(self, **environment: str) -> None:
        self.port = _free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self._environment = {**os.environ, "RUNYARD_LIVE_URL": self.url, **environment}
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "--worker-class", "gevent", "--workers", "1"]
        command += ["--bind", f"127.0.0.1:{self.port}", "--graceful-timeout", "5"]
        command += ["--no-control-socket", "--worker-tmp-dir", "/dev/shm", "wsgi:live"]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self._environment,
            start_new_session=True,
        )
        self._wait_until_alive()

    def stop(self) -> None:
        """Ask it to end and wait for it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=20)

    def kill(self) -> None:
        """No last words."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=20)

    def _wait_until_alive(self) -> None:
        until = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=2).close()
                return
            except OSError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.1)


class Ear:
    """One socket, heard frame by frame."""

    def __init__(
        self,
        live: LiveProcess,
        *,
        token: str | None = None,
        ticket: str | None = None,
        origin: str | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        query = f"?ticket={ticket}" if ticket else ""
        options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)] if receive_buffer else []
        self.socket = websocket.create_connection(
            f"{live.url}/live{query}",
            header=[f"Authorization: Bearer {token}"] if token else [],
            origin=origin,
            suppress_origin=origin is None,
            timeout=PATIENCE,
            sockopt=options,
        )

    def __enter__(self) -> "Ear":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown()

    def say(self, frame: str, **fields: Any) -> None:
        self.socket.send(json.dumps({"frame": frame, **fields}))

    def subscribe(self, *names: str, after: int | None = None, **named: int) -> None:
        begin = {} if after is None else {"after": after}
        self.say("subscribe", topics=dict.fromkeys(names, begin))

    def hear(self, *kinds: str, within: float = PATIENCE) -> dict[str, Any]:
        """The next frame, of one of the kinds; others are passed over."""
        until = time.monotonic() + within
        while (left := until - time.monotonic()) > 0:
            frame = self._next(left)
            if not kinds or frame["frame"] in kinds:
                return frame
        raise AssertionError(f"no {' or '.join(kinds)} within {within} s")

    def hear_all(self, kind: str, *, seconds: float) -> list[dict[str, Any]]:
        """Every frame of a kind until nothing has come for some time."""
        heard = []
        try:
            while True:
                heard.append(self.hear(kind, within=seconds))
        except (AssertionError, websocket.WebSocketTimeoutException):
            return heard

    def hear_close(self, within: float = PATIENCE) -> tuple[int, Mapping[str, Any] | None]:
        """How the socket is closed, and the goodbye before it."""
        until, bye = time.monotonic() + within, None
        while (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            kind, content = self.socket.recv_data()
            if kind == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(content[:2], "big"), bye
            frame = json.loads(content)
            bye = frame if frame["frame"] == "bye" else bye
        raise AssertionError("the socket stayed open")

    def _next(self, within: float) -> dict[str, Any]:
        self.socket.settimeout(within)
        kind, content = self.socket.recv_data()
        assert kind == websocket.ABNF.OPCODE_TEXT, (kind, content)
        frame: dict[str, Any] = json.loads(content)
        return frame


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
