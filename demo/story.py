"""What the demo does, from the first run to the last digest."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.api import Api, Refused
from demo.board import Board, DemoFailed, Watched
from demo.bundle import verify
from demo.comparison import Compared, compare, table
from demo.display import Display
from demo.listening import Listener

SCRIPTS = Path(__file__).parent / "scripts"
PROJECT = "Demo"
RATES = (0.001, 0.01, 0.1, 1.0)
HOPELESS, BETTER = 1.0, 0.03
EPOCHS = 30
EPOCHS_OF_PATIENCE = 3
BUILDING_SECONDS = 900.0
TRAINING_SECONDS = 900.0
SETTLING_SECONDS = 120.0
GRACE_SECONDS = 5


@dataclass
class Story:
    """The acts, in the order in which they are told."""

    api: Api
    board: Board
    listener: Listener
    display: Display
    folder: Path
    epochs: int = EPOCHS

    def tell(self) -> None:
        """Tell all of it. :raises DemoFailed: something did not happen. :raises Refused:"""
        experiment = self._experiment()
        self.display.chapter(f"Four learning rates at once, {self.epochs} epochs each")
        runs = {rate: self._draft(experiment, rate) for rate in RATES}
        self.listener.start()
        for run in runs.values():
            self.api.post(f"/runs/{run.id}/start")
        with self.display.following(self.board):
            hopeless = runs[HOPELESS]
            self._wait_until_it_shows(hopeless)
            self._stop(hopeless)
            better = self._clone(hopeless)
            self._wait_until_all_are_over()
        compared = self._compare()
        self._export(compared[0])
        self._verify(stopped=hopeless, clone=better)

    def end_runs(self) -> None:
        """Stop whatever of the demo still runs."""
        left = [run for run in list(self.board.runs.values()) if self._is_active(run)]
        for run in left:
            self.display.say(f"Stopping {run.name} …")
            self.api.post(f"/runs/{run.id}/stop", {"grace_seconds": GRACE_SECONDS})
        deadline = time.monotonic() + SETTLING_SECONDS
        while any(map(self._is_active, left)) and time.monotonic() < deadline:
            time.sleep(0.2)

    def _experiment(self) -> str:
        found = self.api.get("/projects", name=PROJECT, limit=200)["items"]
        project = next((each for each in found if each["name"] == PROJECT), None)
        if project is None:
            project = self.api.post("/projects", {"name": PROJECT})
        name = time.strftime("handwritten digits, %Y-%m-%d %H:%M:%S")
        made = self.api.post(f"/projects/{project['id']}/experiments", {"name": name})
        return str(made["id"])

    def _draft(self, experiment: str, rate: float) -> Watched:
        spec = {
            "script": {"name": "train.py", "text": (SCRIPTS / "train.py").read_text()},
            "requirements": (SCRIPTS / "requirements.txt").read_text(),
            "parameters": {"lr": rate, "epochs": self.epochs},
        }
        name = f"lr {rate:g}"
        run = self.api.post(f"/experiments/{experiment}/runs", {"name": name, "spec": spec})
        return self._follow(run)

    def _follow(self, run: dict[str, Any]) -> Watched:
        self.listener.follow(run["id"], run["name"])
        return self.board.runs[run["id"]]

    def _wait_until_it_shows(self, hopeless: Watched) -> None:
        self.board.wait_until(
            lambda: hopeless.metrics.get("loss") is not None,
            f"{hopeless.name} logged its first loss",
            BUILDING_SECONDS,
        )
        self.board.wait_until(
            lambda: hopeless.step >= EPOCHS_OF_PATIENCE,
            f"{hopeless.name} had learnt for {EPOCHS_OF_PATIENCE} epochs",
            TRAINING_SECONDS,
        )

    def _stop(self, run: Watched) -> None:
        accuracy = run.metrics.get("accuracy", 0.0)
        self.display.say(f"{run.name} does not learn (accuracy {accuracy:.2f}): stopping it")
        self.api.post(f"/runs/{run.id}/stop", {"grace_seconds": GRACE_SECONDS})
        self.board.wait_until(lambda: run.is_over, f"{run.name} was stopped", SETTLING_SECONDS)

    def _clone(self, run: Watched) -> Watched:
        name, change = f"lr {BETTER:g}", {"parameters": {"lr": BETTER}}
        asked = self.api.post(f"/runs/{run.id}/clone", {"name": name, "change": change})
        difference = [
            [each["path"], str(each["before"]), str(each["after"])]
            for each in asked["result"]["difference"]
        ]
        title = f"Cloning {run.name} as {name}; what differs:"
        self.display.show_table(title, ["what", "before", "after"], difference)
        # Started only once we know it, so that no interruption leaves it running.
        clone = self._follow(self.api.get(f"/runs/{self._outcome(asked)['run_id']}"))
        self.api.post(f"/runs/{clone.id}/start")
        return clone

    def _wait_until_all_are_over(self) -> None:
        self.board.wait_until(
            lambda: all(run.is_over for run in self.board.runs.values()),
            "every run was over",
            TRAINING_SECONDS,
        )

    def _compare(self) -> list[Compared]:
        compared = compare(self.api, list(self.board.runs))
        self.display.chapter("How they did, best first")
        self.display.show_table("", *table(compared))
        return compared

    def _export(self, run: Compared) -> None:
        self.display.chapter(f"Exporting {run.name}")
        outcome = self._outcome(self.api.post(f"/runs/{run.id}/export"))
        export = self.api.get(f"/exports/{outcome['export_id']}")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.folder / export["name"]
        self.api.download(f"/exports/{export['id']}/download", target)
        members = verify(target, export["sha256"])
        if not any(path.startswith("artifacts/") for path in members):
            raise DemoFailed("the bundle holds no artifact")
        self.display.say(f"{len(members)} members, every digest as the manifest says: {target}")

    def _outcome(self, intent: dict[str, Any]) -> dict[str, Any]:
        """Wait for an intent to succeed and return its result."""
        deadline = time.monotonic() + SETTLING_SECONDS
        while (intent := self.api.get(f"/intents/{intent['id']}"))["state"] != "succeeded":
            if intent["ended_at"] or time.monotonic() > deadline:
                why = intent["error_detail"] or "not in time"
                raise DemoFailed(f"{intent['action']} is {intent['state']}: {why}")
            time.sleep(0.1)
        result: dict[str, Any] = intent["result"]
        return result

    def _verify(self, *, stopped: Watched, clone: Watched) -> None:
        """Ask the API, not the screen, whether it all happened. :raises DemoFailed:"""
        for watched in self.board.runs.values():
            run = self.api.get(f"/runs/{watched.id}")
            wanted = "stopped" if watched is stopped else "succeeded"
            if run["state"] != wanted:
                raise DemoFailed(f"{run['name']} is {run['state']} and should be {wanted}")
            points = self.api.get(f"/runs/{watched.id}/metrics/history", key="loss")["items"]
            if not points or (wanted == "succeeded" and len(points) != self.epochs):
                raise DemoFailed(f"{run['name']} has {len(points)} points of its loss")
            if not watched.points:
                raise DemoFailed(f"of {run['name']} no point came over the socket")
        if self.api.get(f"/runs/{clone.id}")["cloned_from_id"] != stopped.id:
            raise DemoFailed(f"{clone.name} does not say what it was cloned from")
        self.display.say("The API says the same: states, points, and what was cloned.")

    def _is_active(self, run: Watched) -> bool:
        try:
            state: str = self.api.get(f"/runs/{run.id}")["state"]
        except Refused:
            return False
        return state not in ("draft", "succeeded", "failed", "stopped", "skipped")
