"""The launcher forks clean runners that outlive it, and clears up after those that were killed."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.launcher_local import LaunchFailed, LocalLauncher
from adapters.processes import find_process, processes
from adapters.unix_sockets import connect_to
from workers.launcher.orphans import sweep

LAUNCHER = """
import os, sys, time
from pathlib import Path
from workers.launcher.orphans import sweep
from workers.launcher.server import serve
from workers.runner.child import Child, Command
from workers.runner.marks import marks_of_this_runner
import sqlalchemy.orm, psycopg, workers.launcher.server as server
server.SWEEP_SECONDS = 0.2
folder, installation = Path(sys.argv[1]), sys.argv[2]
request = serve(
    folder / "launcher.sock", runner_log=folder / "runner.log", sweep=lambda: sweep(installation)
)
if request:
    (folder / f"{request.attempt_id}.new").write_text(str(time.monotonic()))
    os.rename(folder / f"{request.attempt_id}.new", folder / str(request.attempt_id))
    print("carrying", request.token, sorted(os.listdir("/proc/self/fd")), flush=True)
    if request.token == "crash":
        raise RuntimeError("as it happens")
    if request.token.startswith("child"):
        marks = marks_of_this_runner(request.attempt_id, installation)
        script = "setsid sleep 600 & setsid sleep 600 & sleep 600"
        Child(Command(["/bin/sh", "-c", script], folder, os.environ | marks))
        time.sleep(600)
    if request.token == "stay":
        time.sleep(600)
"""


class Harness:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "launcher.sock"
        self.client = LocalLauncher(self.socket)
        self.installation = uuid4().hex[:16]
        self.processes: list[subprocess.Popen[bytes]] = []
        self.runners: list[int] = []

    def start(self) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-c", LAUNCHER, str(self.folder), self.installation]
        process = subprocess.Popen(argv)
        self.processes.append(process)
        until(lambda: self.answers())
        return process

    def answers(self) -> bool:
        try:
            connect_to(self.socket, timeout=1).close()
        except OSError:
            return False
        return True

    def launch(self, token: str) -> tuple[UUID, int]:
        attempt_id = uuid4()
        runner = self.client.launch(attempt_id, token)
        self.runners.append(runner)
        until((self.folder / str(attempt_id)).exists)
        return attempt_id, runner

    def log(self) -> str:
        return (self.folder / "runner.log").read_text()


def until(happened: "object", seconds: float = 15) -> None:
    give_up = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.002)


def is_alive(pid: int) -> bool:
    return find_process(pid) is not None


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Harness]:
    harness = Harness(tmp_path)
    yield harness
    for process in harness.processes:
        process.kill()
        process.wait()
    for runner in harness.runners:
        if is_alive(runner):
            os.kill(runner, signal.SIGKILL)
    sweep(harness.installation)


def test_a_runner_is_detached_and_clean(launcher: Harness) -> None:
    process = launcher.start()
    _, runner = launcher.launch("stay")
    until(lambda: "carrying stay" in launcher.log())
    found = find_process(runner)
    assert found
    assert found.parent != process.pid
    assert os.getsid(runner) not in (os.getsid(0), os.getsid(process.pid))
    assert "['0', '1', '2', '3']" in launcher.log()
    os.kill(runner, signal.SIGTERM)
    until(lambda: not is_alive(runner))


def test_runners_live_on_when_the_launcher_is_told_to_go(launcher: Harness) -> None:
    process = launcher.start()
    _, runner = launcher.launch("stay")
    began = time.monotonic()
    process.terminate()
    assert process.wait(5) == 0
    assert time.monotonic() - began < 1
    assert not launcher.socket.exists()
    assert is_alive(runner)


def test_a_runner_that_fails_says_so_in_the_log(launcher: Harness) -> None:
    process = launcher.start()
    _, runner = launcher.launch("crash")
    until(lambda: not is_alive(runner))
    assert "RuntimeError: as it happens" in launcher.log()
    assert process.poll() is None
    assert launcher.launch("fine")


def test_nobody_at_home(launcher: Harness) -> None:
    began = time.monotonic()
    with pytest.raises(LaunchFailed, match="does not answer"):
        launcher.client.launch(uuid4(), "stay")
    assert time.monotonic() - began < 2.5


def test_the_socket_of_a_killed_launcher_is_replaced(launcher: Harness) -> None:
    process = launcher.start()
    process.kill()
    process.wait()
    assert launcher.socket.exists()
    with pytest.raises(LaunchFailed):
        launcher.client.launch(uuid4(), "stay")
    launcher.start()
    launcher.launch("fine")


def test_a_deleted_socket_comes_back(launcher: Harness) -> None:
    process = launcher.start()
    launcher.socket.unlink()
    until(launcher.answers)
    launcher.launch("fine")
    assert process.poll() is None


def test_the_newer_of_two_launchers_stays(launcher: Harness) -> None:
    older = launcher.start()
    argv = [sys.executable, "-c", LAUNCHER, str(launcher.folder), launcher.installation]
    newer = subprocess.Popen(argv)
    launcher.processes.append(newer)
    assert older.wait(15) == 0
    launcher.launch("fine")
    assert newer.poll() is None


def test_only_we_may_ask(launcher: Harness) -> None:
    launcher.start()
    assert launcher.socket.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "nonsense", [b"\n", b"{}\n", b"[1]\n", b'{"attempt_id": "x", "token": "y"}\n', b"\xff\n", b""]
)
def test_nonsense_is_answered_and_survived(launcher: Harness, nonsense: bytes) -> None:
    launcher.start()
    with connect_to(launcher.socket, timeout=5) as connection:
        connection.sendall(nonsense)
        connection.shutdown(1)
        assert b"error" in connection.recv(1000)
    launcher.launch("fine")


def test_a_path_longer_than_the_kernel_takes(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    harness = Harness(folder)
    process = harness.start()
    harness.launch("fine")
    process.kill()
    process.wait()


def test_what_a_killed_runner_leaves_is_swept(launcher: Harness) -> None:
    launcher.start()
    attempts = {launcher.launch(token) for token in ("child 1", "child 2")}
    (killed_attempt, killed_runner), (kept_attempt, _) = attempts

    def of(attempt_id: UUID) -> list[int]:
        marked = ("RUNYARD_ATTEMPT_ID", str(attempt_id))
        return [p.pid for p in processes() if marked in p.variables().items()]

    until(lambda: len(of(killed_attempt)) >= 3 and len(of(kept_attempt)) >= 3)
    os.kill(killed_runner, signal.SIGKILL)
    until(lambda: not of(killed_attempt))
    time.sleep(0.5)
    assert len(of(kept_attempt)) >= 3


def test_other_installations_are_left_alone(launcher: Harness) -> None:
    marks = {
        "RUNYARD_ATTEMPT_ID": str(uuid4()),
        "RUNYARD_INSTALLATION": "another",
        "RUNYARD_RUNNER_PID": "1",
        "RUNYARD_RUNNER_STARTED": "99",
    }
    with subprocess.Popen(["/bin/sleep", "600"], env=marks) as stranger:
        launcher.start()
        time.sleep(0.6)
        assert stranger.poll() is None
        stranger.kill()


def test_a_runner_starts_at_once(launcher: Harness) -> None:
    launcher.start()
    launcher.launch("warm")
    waits = []
    for _ in range(20):
        asked = time.monotonic()
        attempt_id, _ = launcher.launch("fine")
        waits.append(float((launcher.folder / str(attempt_id)).read_text()) - asked)
    print(f"median {statistics.median(waits) * 1000:.1f} ms, worst {max(waits) * 1000:.1f} ms")
    assert statistics.median(waits) < 0.1
