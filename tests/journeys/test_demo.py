"""`make demo` on a machine where nothing runs: it does all it says and leaves nothing behind."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from workers.stack.environment import MARK
from workers.stack.folder import CHECKOUT
from workers.stack.ports import free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
IGNORED = ("DATABASE_URL", "REDIS_URL", "RUNYARD_SECRET_KEY", "RUNYARD_URL", "RUNYARD_API_KEY")


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's folder, which other accounts may not walk through.
    folder = Path(tempfile.mkdtemp(prefix="runyard-demo-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    for process in of_stack(folder):
        process.kill()
    shutil.rmtree(folder)


def start_demo(folder: Path) -> subprocess.Popen[str]:
    ports = ("WEB", "LIVE", "FLOWER", "POSTGRES", "VALKEY")
    kept = {name: value for name, value in os.environ.items() if name not in IGNORED}
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "demo"],
        cwd=CHECKOUT,
        env={
            **kept,
            **{f"PORT_{name}": str(free_port()) for name in ports},
            "RUNYARD_DATA_DIR": str(folder / "data"),
            "RUNYARD_HOST": folder.name,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def of_stack(folder: Path) -> list[psutil.Process]:
    """Whatever carries the mark of the demo's own stack."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(folder / "data"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_it_trains_stops_clones_compares_and_exports(folder):
    demo = start_demo(folder)
    said, _ = demo.communicate(timeout=850)

    assert demo.returncode == 0, said
    assert "All of that really happened." in said
    assert re.search(r"/parameters/lr +1\.0 +0\.03", said)
    assert re.search(r"lr 1 +stopped", said)
    assert len(re.findall(r"lr [0-9.]+ +succeeded +[0-9.]+ +[0-9.]+ +0\.9", said)) == 4

    bundle = Path(re.search(r"manifest says: (\S+)", said)[1])
    with zipfile.ZipFile(bundle) as opened:
        for member in json.loads(opened.read("manifest.json"))["members"]:
            digest = hashlib.sha256(opened.read(member["path"])).hexdigest()
            assert digest == member["sha256"]
        assert opened.read("metrics.ndjson").count(b"\n") > 0

    assert (folder / "data/demo-admin").stat().st_mode & 0o777 == 0o600
    assert of_stack(folder) == []


def test_interrupted_it_stops_its_runs_and_its_stack(folder):
    demo = start_demo(folder)
    said = ""
    for line in demo.stdout:
        said += line
        if " running" in line:
            break
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=300)

    assert demo.returncode == 130, said + rest
    assert "Stopping lr" in rest
    assert "Traceback" not in said + rest
    assert of_stack(folder) == []
