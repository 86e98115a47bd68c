"""The server that production uses: bodies are streamed, whatever their size and form."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.protocol.conftest import PROXY, Caller, House
from workers.stack.ports import free_port

pytestmark = pytest.mark.slow
BIG = 30 * 2**20


@pytest.fixture
def web(house: House) -> Iterator[tuple[Caller, psutil.Process]]:
    port = free_port()
    command = ["granian", "--interface", "wsgi", "--port", str(port), "--workers", "1", "wsgi:app"]
    environment = {**os.environ, "RUNYARD_ARTIFACT_BYTES": str(BIG)}
    program = str(Path(sys.executable).parent / "granian")
    with subprocess.Popen([program, *command[1:]], env=environment) as server:
        caller = Caller(f"http://127.0.0.1:{port}", house.alice.token)
        _wait_for(caller)
        yield caller, psutil.Process(server.pid)
        server.terminate()


def _wait_for(caller: Caller) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            requests.get(f"{caller.base}/health", timeout=2)
            return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise TimeoutError("granian did not begin to answer")


def _memory(server: psutil.Process) -> int:
    return sum(process.memory_info().rss for process in server.children(recursive=True))


def test_artifacts_are_streamed(web: tuple[Caller, psutil.Process], tmp_path: Path) -> None:
    caller, server = web
    run_id = caller.post("runs/create", {}).json()["run"]["info"]["run_id"]
    place = f"{PROXY}/1/{run_id}/artifacts"
    content = tmp_path / "big.bin"
    content.write_bytes(os.urandom(2**20) * 30)
    before = _memory(server)

    with content.open("rb") as body:
        assert caller.call("PUT", f"{place}/big.bin", data=body).json() == {}
    assert _memory(server) - before < BIG / 2
    back = caller.call("GET", f"{place}/big.bin")
    assert back.content == content.read_bytes()

    pieces = (b"ab" * 500_000 for _ in range(3))
    assert caller.call("PUT", f"{place}/pieces", data=pieces).status_code == 200
    assert len(caller.call("GET", f"{place}/pieces").content) == 3_000_000
    assert caller.call("PUT", f"{place}/none", data=iter(())).status_code == 200
    assert caller.call("GET", f"{place}/none").content == b""

    refused = caller.call("PUT", f"{place}/too-big", data=content.read_bytes() + b"xy")
    assert (refused.status_code, refused.json()["error_code"]) == (413, "INVALID_PARAMETER_VALUE")
    refused = caller.call("PUT", f"{place}/too-big", data=content.read_bytes() + b"x")
    assert refused.status_code == 413
    listed = caller.get("artifacts/list", run_id=run_id).json()["files"]
    assert [file["path"] for file in listed] == ["big.bin", "none", "pieces"]


def test_a_refusal_is_heard_though_the_body_is_big(web: tuple[Caller, psutil.Process]) -> None:
    caller, _ = web
    stranger = Caller(caller.base, "ryk_nobody")
    refused = stranger.call("PUT", f"{PROXY}/1/{'0' * 32}/artifacts/x", data=b"x" * BIG)
    assert refused.status_code == 401
    body = {"run_id": "0" * 32, "key": "a", "value": "x" * (5 * 2**20)}
    assert caller.post("runs/set-tag", body).status_code == 413
