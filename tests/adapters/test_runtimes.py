"""Environments are built once, from plain requirements, without running any of their code."""

import os
import stat
import subprocess
import threading
import time
import zipfile
from pathlib import Path

import pytest

from adapters.interpreters import find_python
from adapters.runtimes import READY, RuntimeAbandoned, RuntimeBuilder, RuntimeFailed

heard: list[str] = []


def wheel(folder: Path, name: str, **files: str) -> None:
    """A wheel with nothing but what is needed; no index is asked for it."""
    info = f"{name}-1.0.dist-info"
    contents = {
        f"{name}/__init__.py": "VALUE = 42\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **files,
    }
    record = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        for path, content in {**contents, f"{info}/RECORD": record}.items():
            archive.writestr(path, content)


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RuntimeBuilder:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "small")
    wheel(wheels, "nasty", **{"nasty.pth": f"import os; os.mkdir({str(tmp_path / 'ran')!r})\n"})
    (wheels / "source-1.0.tar.gz").write_bytes(b"never opened")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    heard.clear()
    return RuntimeBuilder(tmp_path / "runtimes")


def test_an_environment_works(builder: RuntimeBuilder) -> None:
    runtime = builder.ensure("small==1.0  # fine\n", on_line=heard.append)
    asked = [runtime.python, "-c", "import small; print(small.VALUE)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == "42\n"
    assert any("small==1.0" in line for line in heard)
    assert list(runtime.path.glob("lib/*/site-packages/small/__pycache__/*.pyc"))


def test_it_is_built_once(builder: RuntimeBuilder) -> None:
    first = builder.ensure("small\n", on_line=heard.append)
    heard.clear()
    assert builder.ensure("# the same\n small \n\n", on_line=heard.append) == first
    assert not heard
    assert builder.ensure("small>=1\n", on_line=heard.append) != first


def test_two_at_once_build_once(builder: RuntimeBuilder, tmp_path: Path) -> None:
    runtimes = []
    said: list[list[str]] = [[], []]

    def build(number: int) -> None:
        runtimes.append(builder.ensure("small", on_line=said[number].append))

    threads = [threading.Thread(target=build, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runtimes[0] == runtimes[1]
    assert ["waiting for another run that builds the same environment"] in said


def test_half_a_build_is_started_over(builder: RuntimeBuilder) -> None:
    runtime = builder.ensure("small", on_line=heard.append)
    (runtime.path / READY).unlink()
    (runtime.path / "bin/python").unlink()
    assert builder.ensure("small", on_line=heard.append) == runtime
    assert runtime.python.exists()


def test_anyone_may_use_it_and_only_we_may_change_it(builder: RuntimeBuilder) -> None:
    before = os.umask(0o077)
    try:
        runtime = builder.ensure("small", on_line=heard.append)
    finally:
        os.umask(before)
    for place in [runtime.path.parent, runtime.path, *runtime.path.rglob("*")]:
        mode = place.lstat().st_mode
        if not stat.S_ISLNK(mode):
            assert mode & 0o066 == 0o044, place


def test_no_code_of_a_package_runs_while_it_is_built(
    builder: RuntimeBuilder, tmp_path: Path
) -> None:
    runtime = builder.ensure("nasty", on_line=heard.append)
    assert not (tmp_path / "ran").exists()
    subprocess.run([runtime.python, "-c", ""], check=True)
    assert (tmp_path / "ran").exists(), "the trap was not set"


@pytest.mark.parametrize("requirement", ["absent==1.0", "source==1.0"])
def test_what_cannot_be_installed_says_why(
    builder: RuntimeBuilder, tmp_path: Path, requirement: str
) -> None:
    with pytest.raises(RuntimeFailed, match=requirement.partition("=")[0]):
        builder.ensure(requirement, on_line=heard.append)
    assert not [place for place in (tmp_path / "runtimes").iterdir() if len(place.name) == 64]


def test_a_build_takes_only_so_long(builder: RuntimeBuilder, tmp_path: Path) -> None:
    hasty = RuntimeBuilder(tmp_path / "runtimes", build_seconds=0)
    with pytest.raises(RuntimeFailed, match="within 0 s"):
        hasty.ensure("small", on_line=heard.append)


def test_a_build_nobody_wants_is_given_up(builder: RuntimeBuilder, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(RuntimeAbandoned):
        builder.ensure("small", on_line=heard.append, is_wanted=lambda: False)
    assert time.monotonic() - began < 5
    assert not [place for place in (tmp_path / "runtimes").iterdir() if len(place.name) == 64]


def test_the_configured_interpreter_comes_first() -> None:
    assert find_python(None, "/usr/bin/env").path == "/usr/bin/env"


def test_other_users_get_one_they_can_execute(tmp_path: Path) -> None:
    hidden = tmp_path / "python"
    hidden.write_text("")
    hidden.chmod(0o700)
    assert not find_python(61184, str(hidden)).is_isolated
    assert find_python(None, str(hidden)).is_isolated


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_really_can() -> None:
    found = find_python(61184)
    if found.is_isolated:
        subprocess.run([found.path, "-c", ""], user=61184, group=61184, cwd="/", check=True)
