"""Runs side by side, best first."""

from typing import Any

from demo.comparison import compare, table


def a_run(name: str, state: str, lr: str) -> dict[str, Any]:
    return {
        "name": name,
        "state": state,
        "project_id": "p",
        "params": {"lr": lr, "epochs": "30"},
        "started_at": "2026-01-01T10:00:00+00:00",
        "ended_at": "2026-01-01T10:00:12.500000+00:00",
    }


class Written:
    """An API that holds three runs, two of them with an evaluation inside."""

    answers: dict[str, Any] = {  # noqa: RUF012 - nobody changes it
        "/runs/worse": a_run("worse", "succeeded", "0.1"),
        "/runs/better": a_run("better", "succeeded", "0.01"),
        "/runs/stopped": a_run("stopped", "stopped", "1.0"),
        "/runs/worse/metrics": {"loss": 0.5},
        "/runs/better/metrics": {"loss": 0.1},
        "/runs/stopped/metrics": {"loss": "nan"},
        "/runs/in-worse/metrics": {"test_f1": 0.7},
        "/runs/in-better/metrics": {"test_f1": 0.9},
    }

    def get(self, path: str, **query: str) -> Any:
        if path == "/projects/p/runs":
            inside = f"in-{query['parent_id']}"
            return {"items": [{"id": inside}] if f"/runs/{inside}/metrics" in self.answers else []}
        answer = self.answers[path]
        if path.endswith("/metrics"):
            return {"items": [{"key": key, "value": value} for key, value in answer.items()]}
        return answer


def test_the_best_run_comes_first_and_one_that_was_stopped_last():
    compared = compare(Written(), ["stopped", "worse", "better"])

    assert [run.name for run in compared] == ["better", "worse", "stopped"]
    assert compared[0].metrics == {"loss": 0.1, "test_f1": 0.9}


def test_the_table_shows_parameters_that_differ_and_what_was_measured():
    headings, rows = table(compare(Written(), ["stopped", "better"]))

    assert headings == ["run", "state", "lr", "loss", "test_f1", "took"]
    assert rows == [
        ["better", "succeeded", "0.01", "0.1", "0.9", "12.5 s"],
        ["stopped", "stopped", "1.0", "nan", "–", "12.5 s"],
    ]
