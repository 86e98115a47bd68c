"""A run from its start to its end, with everything real."""

import io
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path

import orjson
import psutil
import pytest

from tests.journeys.bench import Bench
from tests.stack import eventually

pytestmark = pytest.mark.slow

SLEEP = "import time\nprint('up', flush=True)\ntime.sleep(600)"
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP
DETACHING = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("detached", os.getpid(), flush=True)
        time.sleep(600)
    os._exit(0)
time.sleep({seconds})
"""
TRAINING = """
import argparse
import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
lr = parser.parse_args().lr
mlflow.set_experiment("whatever the tutorial says")
with mlflow.start_run():
    mlflow.log_params({"lr": lr, "epochs": 5})
    for epoch in range(5):
        mlflow.log_metric("loss", 1 / (1 + epoch), step=epoch)
    mlflow.log_text("done", "notes/end.txt")
    with mlflow.start_run(nested=True):
        mlflow.log_metric("accuracy", 0.9)
"""


def _lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_an_ordinary_script_logs_to_its_own_run(bench: Bench) -> None:
    run_id = bench.start(TRAINING, requirements=None, parameters={"lr": 0.1})
    assert bench.end_of(run_id)["state"] == "succeeded", bench.log(run_id)
    run = bench.run(run_id)
    assert run["params"] == {"lr": "0.1", "epochs": "5"}
    assert run["progress"]["percent"] == 100
    latest = bench.get(f"/runs/{run_id}/metrics")["items"]
    assert [(metric["key"], metric["step"]) for metric in latest] == [("loss", 4)]
    note = bench.call("GET", f"/runs/{run_id}/artifacts/notes/end.txt")
    assert note.content == b"done"
    nested = bench.get(f"/experiments/{bench.experiment_id}/runs", parent_id=run_id)["items"]
    assert [(run["origin"], run["state"]) for run in nested] == [("recorded", "succeeded")]


def test_every_move_is_kept_and_announced(bench: Bench) -> None:
    run_id = bench.start()
    bench.end_of(run_id)
    moves = bench.get(f"/runs/{run_id}/transitions")["items"]
    assert [move["after"] for move in moves] == ["queued", "preparing", "running", "succeeded"]
    events = bench.get(f"/runs/{run_id}/events")["items"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {"run", "intent"} == {event["type"] for event in events}


def test_parameters_reach_the_script_both_ways(bench: Bench) -> None:
    script = (
        "import json, os, sys\nprint(sys.argv[1:])\n"
        "print(json.load(open(os.environ['RUNYARD_PARAMETERS_FILE'])))"
    )
    run_id = bench.start(script, parameters={"lr": 0.5, "deep": True})
    bench.end_of(run_id)
    assert bench.log(run_id) == [
        "['--lr', '0.5', '--deep', 'true']",
        "{'lr': 0.5, 'deep': True}",
    ]


def test_both_streams_are_kept_in_order(bench: Bench) -> None:
    run_id = bench.start("import sys\nprint('one')\nprint('two', file=sys.stderr)")
    bench.end_of(run_id)
    lines = bench.get(f"/runs/{run_id}/log")["items"]
    assert sorted((line["stream"], line["text"]) for line in lines) == [
        ("stderr", "two"),
        ("stdout", "one"),
    ]
    assert [line["number"] for line in lines] == [1, 2]


def test_an_uploaded_archive_brings_its_requirements(bench: Bench) -> None:
    files = {"train.py": b"import six\nprint(six.__version__)", "needs.txt": b"six==1.16.0\n"}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    source = bench.call(
        "POST", f"/projects/{bench.project_id}/sources", data=packed.getvalue()
    ).json()
    run_id = bench.start(
        source_id=source["id"], command=["python", "train.py"], requirements_file="needs.txt"
    )
    assert bench.end_of(run_id)["state"] == "succeeded"
    assert bench.log(run_id) == ["1.16.0"]


def test_a_script_that_dies_fails_with_its_exit_code(bench: Bench) -> None:
    run_id = bench.start("raise SystemExit(3)")
    ended = bench.end_of(run_id)
    assert (ended["state"], ended["failure_class"], ended["exit_code"]) == (
        "failed",
        "user_error",
        3,
    )


def test_a_command_that_does_not_exist_is_named(bench: Bench) -> None:
    run_id = bench.draft(command=["nonesuch"])
    intent = bench.ask(run_id, "start")
    ended = bench.end_of(run_id)
    assert (ended["state"], ended["failure_class"]) == ("failed", "command_not_found")
    assert "nonesuch" in ended["failure_detail"]
    assert bench.settled(intent)["state"] == "failed"


def test_requirements_that_do_not_exist_fail_the_start_with_the_reason(bench: Bench) -> None:
    run_id = bench.start(requirements="six==99.99")
    ended = bench.end_of(run_id)
    assert ended["failure_class"] == "runtime_build"
    assert "six" in ended["failure_detail"]


def test_a_flood_of_log_is_bounded_and_says_so(bench: Bench) -> None:
    """200 MB, and a script that is not held up by what becomes of it."""
    run_id = bench.start(
        "import sys\nlines = (b'x' * 1023 + b'\\n') * 100\n"
        "for _ in range(2_000): sys.stdout.buffer.write(lines)\nprint('the end')"
    )
    assert bench.end_of(run_id)["state"] == "succeeded"
    lines = bench.lines(run_id)
    assert lines[-1]["text"] == "the end"
    assert lines[-1]["number"] == 200_001
    (note,) = [line["text"] for line in lines if line["stream"] == "note"]
    told = int(note.split("lines dropped")[0].strip("… ").replace(",", ""))
    assert told == 200_001 - (len(lines) - 1)
    assert sum(len(line["text"]) for line in lines) < 2 * 2**20


def test_a_stop_ends_a_script_that_does_not_listen(bench: Bench) -> None:
    run_id = bench.start(DEAF)
    bench.says(run_id, "up")
    intent = bench.ask(run_id, "stop", grace_seconds=1)
    assert bench.end_of(run_id)["state"] == "stopped"
    assert bench.settled(intent)["state"] == "succeeded"


def test_a_second_stop_shortens_the_first(bench: Bench) -> None:
    run_id = bench.start(DEAF)
    bench.says(run_id, "up")
    first = bench.ask(run_id, "stop", grace_seconds=600)
    bench.until(run_id, "stopping")
    second = bench.ask(run_id, "stop", grace_seconds=0)
    assert bench.end_of(run_id)["state"] == "stopped"
    assert {bench.settled(intent)["state"] for intent in (first, second)} == {"succeeded"}


def _detached(bench: Bench, run_id: str) -> int:
    bench.says(run_id, "detached")
    return int(bench.log(run_id)[0].split()[1])


def test_a_stop_reaches_a_detached_child(bench: Bench) -> None:
    run_id = bench.start(DETACHING.format(seconds=600))
    pid = _detached(bench, run_id)
    bench.ask(run_id, "stop", grace_seconds=2)
    bench.end_of(run_id)
    assert not _lives(pid)


def test_nothing_outlives_a_run_that_ends_by_itself(bench: Bench) -> None:
    run_id = bench.start(DETACHING.format(seconds=1))
    pid = _detached(bench, run_id)
    assert bench.end_of(run_id)["state"] == "succeeded"
    assert not _lives(pid)


def test_a_run_past_its_time_limit_fails(bench: Bench) -> None:
    run_id = bench.start(SLEEP, time_limit_seconds=1, stop_grace_seconds=1)
    ended = bench.end_of(run_id)
    assert (ended["state"], ended["failure_class"]) == ("failed", "timeout")


def test_a_run_waits_for_a_slot_and_goes_on_when_one_is_free(bench: Bench) -> None:
    holding = [bench.start(SLEEP) for _ in range(3)]
    for run_id in holding:
        bench.until(run_id, "running")
    waiting, unwanted = bench.start(), bench.start()
    bench.ask(unwanted, "stop")
    assert bench.end_of(unwanted)["state"] == "stopped"
    assert bench.run(waiting)["state"] == "queued"
    bench.ask(holding[0], "stop", grace_seconds=0)
    assert bench.end_of(waiting, within=20)["state"] == "succeeded"


def test_a_clone_differs_as_announced_and_starts(bench: Bench) -> None:
    run_id = bench.start("import sys\nprint(sys.argv[2])", parameters={"lr": 0.1})
    bench.end_of(run_id)
    intent = bench.ask(run_id, "clone", change={"parameters": {"lr": 0.3}}, start=True)
    assert intent["result"]["difference"] == [
        {"path": "/parameters/lr", "before": 0.1, "after": 0.3}
    ]
    clone_id = bench.settled(intent)["result"]["run_id"]
    assert bench.end_of(clone_id)["state"] == "succeeded"
    assert bench.log(clone_id) == ["0.3"]
    assert bench.run(clone_id)["cloned_from_id"] == run_id


def test_an_export_holds_the_run_and_proves_it(bench: Bench, tmp_path: Path) -> None:
    run_id = bench.start(TRAINING, requirements=None, parameters={"lr": 0.1})
    bench.end_of(run_id)
    intent = bench.settled(bench.ask(run_id, "export"))
    bundle = bench.call("GET", f"/exports/{intent['result']['export_id']}/download").content
    assert sha256(bundle).hexdigest() == intent["result"]["sha256"]
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        members = orjson.loads(archive.read("manifest.json"))["members"]
        assert {member["path"] for member in members} == set(archive.namelist()) - {"manifest.json"}
        for member in members:
            assert sha256(archive.read(member["path"])).hexdigest() == member["sha256"]
        assert archive.read("artifacts/notes/end.txt") == b"done"
        assert len(archive.read("metrics.ndjson").splitlines()) == 5


def test_a_run_cannot_read_another_runs_files(bench: Bench) -> None:
    first = bench.start(SLEEP)
    bench.until(first, "running")
    script = (
        "import os, pathlib\nfor run in pathlib.Path(os.environ['HOME']).parents[2].iterdir():\n"
        "    for file in run.glob('attempts/*/source/train.py'):\n        print(file)"
    )
    second = bench.start(script)
    ended = bench.end_of(second)
    isolation = bench.attempts(second)[0]["isolation"]
    if isolation != "own-user":
        pytest.skip("this host gives runs no user of their own")
    assert ended["state"] == "failed" or not any(first in line for line in bench.log(second))


def test_a_stop_while_the_runtime_is_built_ends_it(bench: Bench) -> None:
    run_id = bench.start(SLEEP, requirements="scikit-learn==1.5.2")
    eventually(lambda: bench.run(run_id)["state"] in ("preparing", "running"))
    bench.ask(run_id, "stop", grace_seconds=0)
    assert bench.end_of(run_id)["state"] == "stopped"
