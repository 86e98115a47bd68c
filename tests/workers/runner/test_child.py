"""A command ends when it is told to, and takes everything it started with it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.processes import processes
from workers.runner.child import Child, Command
from workers.runner.exits import CannotStart, Exit, Failure

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sub-reapers are Linux's")
ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def command(script: str, folder: Path, **more: object) -> Command:
    argv = [sys.executable, "-c", script]
    return Command(argv, folder, ENVIRONMENT, **more)  # type: ignore[arg-type]


def shell(script: str, folder: Path, **more: object) -> Command:
    return Command(["/bin/sh", "-c", script], folder, ENVIRONMENT, **more)  # type: ignore[arg-type]


def wait_for(child: Child, seconds: float = 20) -> Exit:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if ended := child.poll():
            child.stdout.close(), child.stderr.close()
            return ended
        time.sleep(0.01)
    child.end(0)
    raise AssertionError("the command did not end")


def wait_until(path: Path) -> None:
    give_up = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < give_up, f"{path} did not appear"
        time.sleep(0.01)


@contextmanager
def nothing_left(marker: str) -> Iterator[None]:
    yield
    assert not [p.pid for p in processes() if p.variables().get("MARKER") == marker]


def states_of_children() -> list[str]:
    pids = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in pids]


class TestExits:
    def test_success(self, tmp_path: Path) -> None:
        ended = wait_for(Child(shell("exit 0", tmp_path)))
        assert (ended.succeeded, ended.code, ended.failure) == (True, 0, None)

    def test_an_exit_code(self, tmp_path: Path) -> None:
        ended = wait_for(Child(shell("exit 3", tmp_path)))
        assert (ended.code, ended.signal, ended.failure) == (3, None, Failure.EXIT_CODE)
        assert "exit code 3" in ended.detail

    def test_a_signal(self, tmp_path: Path) -> None:
        ended = wait_for(Child(shell("kill -SEGV $$", tmp_path)))
        assert (ended.signal, ended.failure) == (signal.SIGSEGV, Failure.KILLED)
        assert "signal 11" in ended.detail

    def test_a_kill_from_elsewhere_is_not_blamed_on_memory(self, tmp_path: Path) -> None:
        ended = wait_for(Child(shell("kill -KILL $$", tmp_path)))
        assert ended.failure is Failure.KILLED

    def test_a_kill_while_the_kernel_lacks_memory_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counts = iter([4, 5])
        monkeypatch.setattr("workers.runner.child.out_of_memory_kills", lambda: next(counts))
        ended = wait_for(Child(shell("kill -KILL $$", tmp_path)))
        assert ended.failure is Failure.OUT_OF_MEMORY

    def test_what_it_used(self, tmp_path: Path) -> None:
        script = "x = bytearray(80 << 20)\nimport time\nt = time.process_time()\n"
        script += "while time.process_time() < t + .2: pass"
        ended = wait_for(Child(command(script, tmp_path)))
        # At least: the kernel counts what the forking process held, too.
        assert ended.max_rss_bytes > 80 << 20
        assert 0.2 <= ended.cpu_seconds < 2

    def test_there_is_no_such_command(self, tmp_path: Path) -> None:
        with pytest.raises(CannotStart, match="nonesuch") as caught:
            Child(Command(["nonesuch"], tmp_path, ENVIRONMENT))
        assert caught.value.failure is Failure.COMMAND_NOT_FOUND

    def test_it_is_not_executable(self, tmp_path: Path) -> None:
        (tmp_path / "data.txt").write_text("just text")
        with pytest.raises(CannotStart, match="Permission denied") as caught:
            Child(Command(["./data.txt"], tmp_path, ENVIRONMENT))
        assert caught.value.failure is Failure.NOT_EXECUTABLE


class TestSurroundings:
    def test_it_is_alone_with_what_it_was_given(self, tmp_path: Path) -> None:
        script = (
            "import os, resource, sys\n"
            "assert set(os.environ) <= {'PATH', 'LANG', 'LC_CTYPE'}, os.environ\n"
            "assert os.getpid() == os.getsid(0) == os.getpgid(0)\n"
            f"assert os.getcwd() == {str(tmp_path)!r}\n"
            "assert os.umask(0) == 0o077 and sys.stdin.read() == ''\n"
            "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\n"
            "assert resource.getrlimit(resource.RLIMIT_NOFILE) == (100, 100)\n"
            "assert sorted(os.listdir('/proc/self/fd')) == ['0', '1', '2', '3']\n"
        )
        child = Child(command(script, tmp_path, open_files=100))
        stderr = child.stderr.read()
        assert wait_for(child).succeeded, stderr

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_it_runs_as_the_user_it_is_told(self, tmp_path: Path) -> None:
        script = 'test "$(id -u):$(id -g):$(id -G)" = 61190:61190:61190 && ulimit -p'
        child = Child(shell(script, Path("/"), uid=61190, processes=77))
        assert child.stdout.read() == b"77\n"
        assert wait_for(child).succeeded

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
    def test_another_user_does_not_outlive_the_runner_either(self, tmp_path: Path) -> None:
        runner = (
            "import os, signal\nfrom pathlib import Path\n"
            "from workers.runner.child import Child, Command\n"
            "child = Child(Command(['/bin/sleep', '600'], Path('/'), {}, uid=61190))\n"
            "print(child.pid, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
        )
        ended = subprocess.run([sys.executable, "-c", runner], capture_output=True, check=False)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        time.sleep(0.1)
        assert int(ended.stdout) not in {process.pid for process in processes()}


class TestEndings:
    def test_a_polite_end(self, tmp_path: Path) -> None:
        child = Child(shell("trap 'exit 0' TERM; touch up; while :; do sleep 0.01; done", tmp_path))
        wait_until(tmp_path / "up")
        child.end(10)
        ended = wait_for(child, 5)
        assert (ended.was_ended, ended.code) == (True, 0)

    def test_one_that_ignores_it_is_killed_after_the_grace(self, tmp_path: Path) -> None:
        child = Child(shell("trap '' TERM; touch up; while :; do sleep 0.01; done", tmp_path))
        wait_until(tmp_path / "up")
        began = time.monotonic()
        child.end(0.5)
        ended = wait_for(child, 5)
        assert 0.5 <= time.monotonic() - began < 1.5
        assert (ended.was_ended, ended.signal) == (True, signal.SIGKILL)
        assert ended.failure is Failure.KILLED
        assert ended.left_behind == 0

    def test_a_second_call_shortens_the_grace(self, tmp_path: Path) -> None:
        child = Child(shell("trap '' TERM; touch up; while :; do sleep 0.01; done", tmp_path))
        wait_until(tmp_path / "up")
        child.end(60)
        child.end(0)
        assert wait_for(child, 2).signal == signal.SIGKILL

    def test_a_stopped_one_ends_politely(self, tmp_path: Path) -> None:
        child = Child(shell("touch up; kill -STOP $$", tmp_path))
        wait_until(tmp_path / "up")
        child.end(10)
        assert wait_for(child, 5).signal == signal.SIGTERM

    def test_the_detached_go_too(self, tmp_path: Path) -> None:
        """Forked twice, in a session of its own, deaf to TERM."""
        detached = (
            "import os, signal, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            "        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "        open('up', 'w').close()\n"
            "        time.sleep(600)\n"
            "    os._exit(0)\n"
            "time.sleep(600)\n"
        )
        environment = ENVIRONMENT | {"MARKER": "detached"}
        with nothing_left("detached"):
            argv = [sys.executable, "-c", detached]
            child = Child(Command(argv, tmp_path, environment))
            wait_until(tmp_path / "up")
            child.end(0.2)
            wait_for(child, 5)

    def test_what_a_finished_command_leaves_behind_goes_too(self, tmp_path: Path) -> None:
        environment = ENVIRONMENT | {"MARKER": "left"}
        with nothing_left("left"):
            argv = ["/bin/sh", "-c", "trap '' TERM; setsid sleep 600 & sleep 0.2; exit 0"]
            ended = wait_for(Child(Command(argv, tmp_path, environment)), 5)
        assert ended.succeeded
        assert not ended.was_ended

    def test_a_family_that_keeps_forking(self, tmp_path: Path) -> None:
        bomb = (
            "import os, signal, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "open('up', 'w').close()\n"
            "end = time.time() + 20\n"
            "while time.time() < end:\n"
            "    if os.fork() == 0:\n"
            "        os.setsid(); time.sleep(.05)\n"
            "        if os.fork(): os._exit(0)\n"
            "    time.sleep(.05)\n"
        )
        with nothing_left("bomb"):
            argv = [sys.executable, "-c", bomb]
            child = Child(Command(argv, tmp_path, ENVIRONMENT | {"MARKER": "bomb"}))
            wait_until(tmp_path / "up")
            time.sleep(0.3)
            child.end(0)
            wait_for(child, 10)

    def test_orphans_are_reaped_while_it_runs(self, tmp_path: Path) -> None:
        child = Child(shell("(true & ) ; touch up; sleep 600", tmp_path))
        wait_until(tmp_path / "up")
        time.sleep(0.1)
        assert child.poll() is None
        assert "Z" not in states_of_children()
        child.end(0)
        wait_for(child)

    def test_other_children_of_the_runner_are_left_alone(self, tmp_path: Path) -> None:
        with subprocess.Popen(["/bin/sleep", "600"]) as mine, subprocess.Popen("/bin/true") as dead:
            time.sleep(0.1)
            child = Child(shell("exit 4", tmp_path))
            child.end(0)
            wait_for(child)
            assert mine.poll() is None
            assert dead.wait() == 0
            mine.kill()
