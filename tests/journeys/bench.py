"""What a person does with runs, over HTTP."""

import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

import requests

from adapters.processes import Process, processes
from tests.stack import Stack, eventually
from workers.runner.marks import ATTEMPT

FINAL = ("succeeded", "failed", "stopped", "skipped")
PASSWORD = "correct horse battery"
T = TypeVar("T")


class Bench:
    """Alice at work in an experiment of hers."""

    def __init__(self, stack: Stack, email: str) -> None:
        self.stack = stack
        self.http = requests.Session()
        tokens = self.call("POST", "/sign-in", json={"email": email, "password": PASSWORD}).json()
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        self.project_id = self.make("/projects", name=f"journey {uuid4().hex}")["id"]
        experiments = f"/projects/{self.project_id}/experiments"
        self.experiment_id = self.make(experiments, name="rates")["id"]

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return self.http.request(method, f"{self.stack.url}/api/v1{path}", timeout=30, **kwargs)

    def patient_call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """As a client with retries calls: an answer, whatever dies meanwhile."""

        def ask() -> requests.Response | None:
            try:
                answer = self.call(method, path, **kwargs)
            except requests.ConnectionError:
                return None
            return answer if answer.status_code < 500 else None

        return eventually(ask, within=60, every=0.1)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.patient_call("GET", path, params=query)
        assert answer.ok, answer.text
        return answer.json()

    def make(self, path: str, **body: Any) -> Any:
        answer = self.call("POST", path, json=body)
        assert answer.status_code in (201, 202), answer.text
        return answer.json()

    def draft(self, script: str = "print('hello')", **spec: Any) -> str:
        """A run; unless it says otherwise its runtime is bare, which takes no time to build."""
        if "source_id" not in spec:
            spec = {"script": {"text": script, "name": "train.py"}, "requirements": "", **spec}
        body = {"name": "run", "spec": {k: v for k, v in spec.items() if v is not None}}
        run: dict[str, str] = self.make(f"/experiments/{self.experiment_id}/runs", **body)
        return run["id"]

    def ask(self, run_id: str, action: str, **body: Any) -> dict[str, Any]:
        """The intent that was accepted; asked again under one key for as long as nobody answers."""
        answer = self.patient_call(
            "POST",
            f"/runs/{run_id}/{action}",
            json=body,
            headers={"Idempotency-Key": uuid4().hex},
        )
        assert answer.status_code == 202, answer.text
        intent: dict[str, Any] = answer.json()
        return intent

    def start(self, script: str = "print('hello')", **spec: Any) -> str:
        run_id = self.draft(script, **spec)
        self.ask(run_id, "start")
        return run_id

    def run(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.get(f"/runs/{run_id}")
        return run

    def until(self, run_id: str, *states: str, within: float = 40.0) -> dict[str, Any]:
        """The run once it is in one of the states."""

        def look() -> dict[str, Any] | None:
            run = self.run(run_id)
            assert run["state"] in (*states, "queued") or run["state"] not in FINAL, run
            return run if run["state"] in states else None

        return self._patiently(look, run_id, within)

    def end_of(self, run_id: str, within: float = 60.0) -> dict[str, Any]:
        return self.until(run_id, *FINAL, within=within)

    def settled(self, intent: dict[str, Any], within: float = 60.0) -> dict[str, Any]:
        """The intent once it has an outcome."""

        def look() -> dict[str, Any] | None:
            now: dict[str, Any] = self.get(f"/intents/{intent['id']}")
            return now if now["ended_at"] else None

        return eventually(look, within=within)

    def lines(self, run_id: str) -> list[dict[str, Any]]:
        """The whole log."""
        found: list[dict[str, Any]] = []
        while more := self.get(
            f"/runs/{run_id}/log", limit=5000, after=found[-1]["number"] if found else 0
        )["items"]:
            found += more
        return found

    def log(self, run_id: str) -> list[str]:
        return [line["text"] for line in self.lines(run_id)]

    def says(self, run_id: str, text: str, within: float = 30.0) -> str:
        """The first line that holds the text, once there is one."""

        def look() -> str | None:
            return next((line for line in self.log(run_id) if text in line), None)

        return self._patiently(look, run_id, within)

    def attempts(self, run_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/runs/{run_id}/attempts")["items"]
        return found

    def outcomes(self, run_id: str) -> list[str | None]:
        return [attempt["outcome"] for attempt in self.attempts(run_id)]

    def runner(self, run_id: str) -> int:
        """The process that carries the run."""
        ((pid,),) = self.stack.rows(
            "select runner_pid from attempts where run_id = %s and outcome is null", run_id
        )
        assert isinstance(pid, int)
        return pid

    def tree(self, run_id: str) -> list[Process]:
        """All that lives of what the run has started, wherever it went."""
        attempts = {attempt["id"] for attempt in self.attempts(run_id)}
        return [each for each in processes() if each.variables().get(ATTEMPT) in attempts]

    def _patiently(self, look: Callable[[], T | None], run_id: str, within: float) -> T:
        deadline = time.monotonic() + within
        while (seen := look()) is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within} s: {self.run(run_id)}")
            time.sleep(0.05)
        return seen
