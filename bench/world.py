"""What the operations are called on: one of each, made before the stopwatch runs."""

import io
import tarfile
import time
from functools import cached_property
from typing import Any
from uuid import uuid4

from bench.following import run_that_is_over, settled_intent
from bench.seed import NAME
from bench.target import Target

REAL = """\
import mlflow
with mlflow.start_run():
    mlflow.log_params({"lr": 0.1, "epochs": 100})
    for epoch in range(100):
        mlflow.log_metric("loss", 1 / (epoch + 1), step=epoch)
        print("epoch", epoch)
    mlflow.log_text("a note", "note.txt")
"""


def archive() -> bytes:
    """A small archive of training code, a different one each time."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        content = f"print('{uuid4()}')\n".encode()
        member = tarfile.TarInfo("train.py")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return written.getvalue()


class World:
    """The project with many runs, if it was seeded, and a run in it that has all a run can have."""

    def __init__(self, target: Target) -> None:
        self.connection = target.connect()
        project = self._project()
        base = f"/projects/{project['id']}"
        experiment = self.make(f"{base}/experiments", {"name": self.name("operations")})
        crowded = self.connection.get(f"{base}/experiments?sort=id&limit=1")["items"][0]
        run, intent = self._real_run(experiment["id"])
        export = settled_intent(self.connection, self.make(f"/runs/{run}/export")["id"])
        source = self.make(f"{base}/sources", archive())
        # Every path of the API is filled in from these.
        self.ids = {
            "project_id": project["id"],
            "experiment_id": crowded["id"],
            "run_id": run,
            "intent_id": intent,
            "export_id": export["result"]["export_id"],
            "source_id": source["id"],
            "path": "note.txt",
        }
        self.experiment_id = experiment["id"]
        self.started: list[str] = []

    def name(self, noun: str) -> str:
        """A name nothing else has."""
        return f"{noun} {time.time_ns()}"

    def make(self, path: str, body: Any = None) -> Any:
        return self.connection.post(path, body)

    def project(self) -> str:
        made: str = self.make("/projects", {"name": self.name("Bench")})["id"]
        return made

    def experiment(self) -> str:
        path = f"/projects/{self.ids['project_id']}/experiments"
        made: str = self.make(path, {"name": self.name("question")})["id"]
        return made

    def draft(self, script: str = "pass\n") -> str:
        path = f"/experiments/{self.experiment_id}/runs"
        given = {"name": self.name("run"), "spec": {"script": {"text": script}}}
        made: str = self.make(path, given)["id"]
        return made

    def source(self) -> str:
        made: str = self.make(f"/projects/{self.ids['project_id']}/sources", archive())["id"]
        return made

    def account(self) -> dict[str, str]:
        """What a new person signs in with."""
        email, password = f"bench-{uuid4().hex[:12]}@example.com", uuid4().hex
        self.make("/accounts", {"email": email, "name": "Bench", "password": password})
        return {"email": email, "password": password}

    @cached_property
    def colleague(self) -> dict[str, str]:
        """Somebody whose sessions may end; of too many the oldest do, and ours is that."""
        return self.account()

    def session(self) -> Any:
        """The tokens of a session of the colleague's."""
        return self.make("/sign-in", self.colleague)

    def cursor(self, path: str, pages: int) -> str:
        """The cursor of a page far down a list, or of its last."""
        cursor = ""
        for _ in range(pages):
            page = self.connection.get(f"{path}?limit=200&cursor={cursor}")
            if page["next_cursor"] is None:
                break
            cursor = page["next_cursor"]
        return cursor

    def settle(self) -> None:
        """Wait until nothing runs any more that was started here."""
        for run in self.started:
            run_that_is_over(self.connection, run)

    def _project(self) -> Any:
        found = self.connection.get("/projects?limit=200")["items"]
        seeded = next((project for project in found if project["name"] == NAME), None)
        if seeded is None:
            print("There is no project with many runs; `python -m bench.seed` makes it.")
        return seeded or self.make("/projects", {"name": self.name("Bench")})

    def _real_run(self, experiment: str) -> tuple[str, str]:
        spec = {"script": {"text": REAL}}
        run = self.make(f"/experiments/{experiment}/runs", {"name": "real", "spec": spec})
        intent = self.make(f"/runs/{run['id']}/start")
        run_that_is_over(self.connection, run["id"])
        return run["id"], intent["id"]
