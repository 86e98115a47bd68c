"""How far a training is, from what its script logs anyway.

The step is the greatest step of any of its metrics; the total comes from the spec's
``total_steps``, from the tag ``runyard.total_steps``, or from a logged parameter with one of
the usual names.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from models.metrics import LatestMetric, MetricPoint
from models.runs import Run

TOTAL_TAG = "runyard.total_steps"
TOTAL_PARAMETERS = (
    "total_steps",
    "max_steps",
    "num_steps",
    "epochs",
    "num_epochs",
    "n_epochs",
    "max_epochs",
    "max_iter",
    "iterations",
)
WINDOW = 60


@dataclass(frozen=True)
class Position:
    """Steps done, of how many if the script tells."""

    done: int
    total: int | None


def position_of(session: Session, run_id: UUID) -> Position | None:
    """Where a run is; None before its first metric with a step."""
    run = session.execute(
        select(Run.number, Run.spec, Run.params, Run.tags).where(Run.id == run_id)
    ).one()
    furthest = session.execute(
        select(LatestMetric.key_id, LatestMetric.step)
        .where(LatestMetric.run_number == run.number)
        .order_by(LatestMetric.step.desc())
        .limit(1)
    ).one_or_none()
    if furthest is None:
        return None
    # Scripts count from 0 or from 1; a point at step 0 tells which.
    counts_from_zero = session.scalar(
        select(
            exists().where(
                MetricPoint.run_number == run.number,
                MetricPoint.key_id == furthest.key_id,
                MetricPoint.step == 0,
            )
        )
    )
    done = furthest.step + (1 if counts_from_zero else 0)
    return Position(done, _total(run.spec, run.params, run.tags))


def keep_progress(session: Session, run_id: UUID, progress: dict[str, Any]) -> None:
    """Put the progress where readers of the run find it."""
    session.execute(
        update(Run).where(Run.id == run_id).values(progress=progress, updated_at=Run.updated_at)
    )


class Pace:
    """Turns positions over time into a rate and the seconds left."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=WINDOW)

    def progress(self, position: Position, at: float) -> dict[str, Any]:
        """The progress at a moment, in seconds of any steady clock."""
        self._seen.append((at, position.done))
        total = position.total
        if total is None or position.done > total:
            return {"step": position.done, "total": None, "percent": None, "eta_seconds": None}
        return {
            "step": position.done,
            "total": total,
            "percent": round(100 * position.done / total, 1),
            "eta_seconds": self._eta(total - position.done),
        }

    def _eta(self, left: int) -> float | None:
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        if last <= first or now <= began:
            return None
        return round(left * (now - began) / (last - first), 1)


def _total(spec: dict[str, Any], params: dict[str, Any], tags: dict[str, Any]) -> int | None:
    given = spec.get("parameters", {})
    candidates = [spec.get("total_steps"), tags.get(TOTAL_TAG)]
    candidates += [params.get(name, given.get(name)) for name in TOTAL_PARAMETERS]
    return next((total for value in candidates if (total := _count(value))), None)


def _count(value: Any) -> int | None:
    try:
        return int(value) if int(value) > 0 else None
    except (TypeError, ValueError):
        return None
