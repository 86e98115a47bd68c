"""``python -m bench.start_latency``: how long a person waits for a training process.

Runs are started one after another on a warm installation. Claim and process are measured on the
server's clock, from the acceptance of the intent; metrics on this machine's, from the moment the
script logged them to the moment the socket told of them, so measure those on the same machine.
"""

import argparse
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bench.connection import Connection
from bench.figures import percentile, verdict
from bench.following import run_that_is_over
from bench.target import Target, target
from demo.live_client import LiveClient

NOTHING = "pass\n"
ONE_METRIC = "import mlflow\nwith mlflow.start_run():\n    mlflow.log_metric('loss', 1.0, step=1)\n"
WARM_UPS = 3
BAR_CLAIMED_P50 = 0.040
BAR_PROCESS_P99 = 0.400
BAR_METRIC = 1.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.start_latency", description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--metric-runs", type=int, default=10)
    given = parser.parse_args()
    with target() as installation:
        connection = installation.connect()
        with _experiment(connection) as experiment:
            print("Warming up; the first run ever builds its runtime …", flush=True)
            for _ in range(WARM_UPS):
                _carry_out(connection, experiment, ONE_METRIC)
            starts = [_started(connection, experiment) for _ in range(given.runs)]
            delays = [_told(installation, connection, experiment) for _ in range(given.metric_runs)]
    claimed, process = [start[0] for start in starts], [start[1] for start in starts]
    figures = [
        ("accepted to claimed, p50", percentile(claimed, 50), BAR_CLAIMED_P50),
        ("accepted to claimed, p99", percentile(claimed, 99), None),
        ("accepted to the training process, p50", percentile(process, 50), None),
        ("accepted to the training process, p99", percentile(process, 99), BAR_PROCESS_P99),
        ("logged to told over the socket, p50", percentile(delays, 50), None),
        ("logged to told over the socket, longest", max(delays), BAR_METRIC),
    ]
    print(f"{given.runs} starts, {given.metric_runs} first metrics:")
    lines = [verdict(*figure) for figure in figures]
    print("\n".join(line for line, _ in lines))
    return 0 if all(kept for _, kept in lines) else 1


@contextmanager
def _experiment(connection: Connection) -> Iterator[str]:
    project = connection.post("/projects", {"name": f"Bench {time.time_ns()}"})
    yield connection.post(f"/projects/{project['id']}/experiments", {"name": "starts"})["id"]
    connection.ask("DELETE", f"/projects/{project['id']}")


def _draft(connection: Connection, experiment: str, script: str) -> str:
    given = {"name": "start", "spec": {"script": {"text": script}}}
    made: str = connection.post(f"/experiments/{experiment}/runs", given)["id"]
    return made


def _carry_out(connection: Connection, experiment: str, script: str) -> tuple[Any, str]:
    run = _draft(connection, experiment, script)
    intent = connection.post(f"/runs/{run}/start")
    run_that_is_over(connection, run)
    return intent, run


def _started(connection: Connection, experiment: str) -> tuple[float, float]:
    intent, run = _carry_out(connection, experiment, NOTHING)
    attempt = connection.get(f"/runs/{run}/attempts")["items"][0]
    accepted = datetime.fromisoformat(intent["created_at"])
    claimed, process = (
        (datetime.fromisoformat(attempt[moment]) - accepted).total_seconds()
        for moment in ("created_at", "process_started_at")
    )
    return claimed, process


def _told(installation: Target, connection: Connection, experiment: str) -> float:
    run = _draft(connection, experiment, ONE_METRIC)
    topic = f"run:{run}/metrics"
    live_url = connection.post("/live/tickets")["url"].removesuffix("/live")
    client = LiveClient(installation.url, live_url, installation.token)
    client.subscribe({topic: 0})
    told: list[float] = []
    subscribed, heard = threading.Event(), threading.Event()

    def listen() -> None:
        for frame in client:
            subscribed.set()
            if frame["frame"] == "tail":
                told.append(time.time() - frame["items"][0][2] / 1000)
                heard.set()
                return

    threading.Thread(target=listen, daemon=True).start()
    subscribed.wait(10)
    connection.post(f"/runs/{run}/start")
    heard.wait(60)
    client.close()
    run_that_is_over(connection, run)
    return told[0]


if __name__ == "__main__":
    sys.exit(main())
