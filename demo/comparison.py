"""Setting runs side by side, from what the API says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demo.api import Api

MEASURES = ("loss", "accuracy", "test_f1", "test_errors")


@dataclass(frozen=True)
class Compared:
    """One run: how it was set, how it ended, and its last numbers."""

    id: str
    name: str
    state: str
    params: Mapping[str, str]
    seconds: float | None
    metrics: Mapping[str, float]

    @property
    def score(self) -> float:
        """What decides which run is best; one that was not judged comes last."""
        return self.metrics.get("test_f1", -1.0) if self.state == "succeeded" else -1.0


def compare(api: Api, runs: Sequence[str]) -> list[Compared]:
    """The runs, best first. What runs nested in them measured counts as theirs."""
    found = [_read(api, run_id) for run_id in runs]
    return sorted(found, key=lambda run: run.score, reverse=True)


def table(runs: Sequence[Compared]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows, as text; of the parameters those that differ."""
    params = sorted(_differing([run.params for run in runs]))
    measures = [key for key in MEASURES if any(key in run.metrics for run in runs)]
    rows = [
        [
            run.name,
            run.state,
            *(run.params.get(name, "–") for name in params),
            *(_number(run.metrics.get(key)) for key in measures),
            "–" if run.seconds is None else f"{run.seconds:.1f} s",
        ]
        for run in runs
    ]
    return ["run", "state", *params, *measures, "took"], rows


def _read(api: Api, run_id: str) -> Compared:
    run = api.get(f"/runs/{run_id}")
    nested = api.get(f"/projects/{run['project_id']}/runs", parent_id=run_id)["items"]
    metrics: dict[str, float] = {}
    for each in (*(child["id"] for child in nested), run_id):
        metrics |= {m["key"]: float(m["value"]) for m in api.get(f"/runs/{each}/metrics")["items"]}
    return Compared(
        id=run_id,
        name=run["name"],
        state=run["state"],
        params=run["params"],
        seconds=_seconds(run),
        metrics=metrics,
    )


def _differing(settings: Sequence[Mapping[str, str]]) -> set[str]:
    names = {name for each in settings for name in each}
    return {name for name in names if len({each.get(name) for each in settings}) > 1}


def _seconds(run: Mapping[str, Any]) -> float | None:
    if not (run["started_at"] and run["ended_at"]):
        return None
    began, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "ended_at"))
    return (ended - began).total_seconds()


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
