"""What is known of the runs, kept current by news and read by the display and the story."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

OVER = frozenset({"succeeded", "failed", "stopped", "skipped"})
LINES_KEPT = 200


class DemoFailed(Exception):
    """Something did not happen as it must."""


@dataclass
class Watched:
    """One run as the news have it."""

    id: str
    name: str
    state: str = "draft"
    detail: str = ""
    step: int = 0
    total: int | None = None
    eta_seconds: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    points: int = 0

    @property
    def is_over(self) -> bool:
        return self.state in OVER


class Board:
    """All runs, and the last lines of their logs."""

    def __init__(self) -> None:
        self.runs: dict[str, Watched] = {}
        self.lines: deque[tuple[str, str]] = deque(maxlen=LINES_KEPT)
        self._trouble = ""
        self._changed = threading.Condition()

    def add(self, run_id: str, name: str) -> Watched:
        with self._changed:
            return self.runs.setdefault(run_id, Watched(run_id, name))

    def hear(self, frame: dict[str, Any]) -> None:
        """Take one frame of the live socket."""
        subject, _, tail = frame.get("topic", "").partition("/")
        run = self.runs.get(subject.removeprefix("run:"))
        if run is None:
            return
        with self._changed:
            match frame["frame"], tail:
                case "event", "":
                    self._hear_event(run, frame["type"], frame["data"])
                case "tail", "log":
                    self.lines.extend((run.name, text) for _, _, _, text in frame["items"])
                case "tail", "metrics":
                    _hear_points(run, frame["items"])
                case "tail", "progress":
                    self.note_progress(run, frame["items"][-1])
            self._changed.notify_all()

    def give_up(self, reason: str) -> None:
        """No more news will come."""
        with self._changed:
            self._trouble = reason
            self._changed.notify_all()

    def note_progress(self, run: Watched, progress: dict[str, Any] | None) -> None:
        if progress is not None:
            run.step = max(run.step, progress["step"])
            run.total, run.eta_seconds = progress["total"], progress["eta_seconds"]

    def wait_until(self, met: Callable[[], bool], what: str, within: float) -> None:
        """Wait for news that make something true.

        :raises DemoFailed: a run has failed, no news come any more, or the time is over.
        """
        deadline = time.monotonic() + within
        with self._changed:
            while not met():
                self._refuse_trouble()
                if time.monotonic() > deadline:
                    raise DemoFailed(f"waited {within:.0f} s in vain until {what}")
                self._changed.wait(1.0)

    def _hear_event(self, run: Watched, kind: str, data: dict[str, Any]) -> None:
        if kind == "run":
            run.state = data["state"]
            run.detail = data["failure_detail"] or ""
        elif kind == "intent" and data["action"] == "runs.start":
            run.detail = data["error_detail"] or data["message"]

    def _refuse_trouble(self) -> None:
        if self._trouble:
            raise DemoFailed(f"the live socket told no more: {self._trouble}")
        for run in self.runs.values():
            if run.state == "failed":
                said = [text for name, text in self.lines if name == run.name]
                raise DemoFailed("\n".join([f"{run.name} failed: {run.detail}", *said[-20:]]))


def _hear_points(run: Watched, points: Iterable[tuple[str, int, int, float]]) -> None:
    for key, step, _, value in points:
        run.metrics[key] = float(value)
        run.step = max(run.step, step)
        run.points += 1
