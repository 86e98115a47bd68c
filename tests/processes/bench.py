"""Alice at work with real processes."""

from dataclasses import dataclass
from typing import Any

from tests.people import Person
from tests.processes.stack import Stack, eventually

FINAL = ("succeeded", "failed", "stopped", "skipped")


@dataclass
class Bench:
    """One experiment of Alice's, and what she does in it."""

    alice: Person
    stack: Stack
    project_id: str
    experiment_id: str

    def draft(self, script: str = "print('hello')", name: str = "run", **spec: Any) -> str:
        if "source_id" not in spec:
            spec["script"] = {"text": script, "name": "train.py"}
        answer = self.alice.post(
            f"/experiments/{self.experiment_id}/runs", {"name": name, "spec": spec}
        )
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    def ask(self, run_id: str, action: str, **body: Any) -> dict[str, Any]:
        answer = self.alice.post(f"/runs/{run_id}/{action}", body or None)
        assert answer.status_code == 202, answer.json
        intent: dict[str, Any] = answer.json
        return intent

    def start(self, script: str = "print('hello')", **spec: Any) -> str:
        run_id = self.draft(script, **spec)
        self.ask(run_id, "start")
        return run_id

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.alice.get(f"/runs/{run_id}").json
        return found

    def until(self, run_id: str, *states: str, within: float = 40.0) -> dict[str, Any]:
        """The run once it is in one of the states."""

        def look() -> dict[str, Any] | None:
            run = self.run(run_id)
            assert run["state"] in states or run["state"] not in FINAL, run
            return run if run["state"] in states else None

        return eventually(look, within=within) or {}

    def end_of(self, run_id: str, within: float = 40.0) -> dict[str, Any]:
        return self.until(run_id, *FINAL, within=within)

    def settled(self, intent_id: str, within: float = 40.0) -> dict[str, Any]:
        """The intent once it has an outcome."""

        def look() -> dict[str, Any] | None:
            intent: dict[str, Any] = self.alice.get(f"/intents/{intent_id}").json
            return intent if intent["ended_at"] else None

        return eventually(look, within=within) or {}

    def log(self, run_id: str) -> list[str]:
        answer = self.alice.get(f"/runs/{run_id}/log", query_string={"limit": 5000})
        return [line["text"] for line in answer.json["items"]]

    def says(self, run_id: str, text: str, within: float = 20.0) -> None:
        eventually(lambda: any(text in line for line in self.log(run_id)), within=within)

    def attempts(self, run_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.alice.get(f"/runs/{run_id}/attempts").json["items"]
        return found
