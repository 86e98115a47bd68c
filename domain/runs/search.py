"""Finding runs by conditions, in any order, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.command import query
from domain.errors import Invalid
from domain.runs.conditions import Condition, met
from domain.runs.located import within_reach
from domain.runs.ordering import MOST_ORDERS, OrderBy, beyond, sortings
from models.experiments import Experiment
from models.runs import Run


@dataclass(frozen=True)
class FoundRuns:
    """Some runs with their experiments, and the place to go on from if there are more."""

    items: Sequence[Run]
    more_after: list[Any] | None


@query(requires=Permission.RUN_READ)
def search_runs(
    session: Session,
    actor: Actor,
    experiment_numbers: Sequence[int],
    *,
    conditions: Sequence[Condition] = (),
    order: Sequence[OrderBy] = (),
    deleted: bool | None = False,
    limit: int,
    after: Sequence[Any] | None = None,
) -> FoundRuns:
    """Runs of some experiments for which all conditions hold; ``after`` is a place in the order.

    :raises ConditionRefused: a condition makes no sense.
    :raises Invalid: too much is wished of the order.
    """
    if len(order) > MOST_ORDERS:
        raise Invalid(f"sort by at most {MOST_ORDERS} things")
    sorted_by = sortings(order)
    statement = (
        select(Run, *(sorting.expression for sorting in sorted_by))
        .join(Run.experiment)
        .options(contains_eager(Run.experiment))
        .where(Experiment.number.in_(experiment_numbers), *map(met, conditions))
    )
    if deleted is not None:
        gone = Run.deleted_at.is_not(None)
        statement = statement.where(gone if deleted else ~gone)
    if after is not None:
        statement = statement.where(beyond(sorted_by, after))
    directions = [s.expression.desc() if s.descending else s.expression.asc() for s in sorted_by]
    statement = within_reach(statement, actor).order_by(*directions).limit(limit + 1)
    rows = session.execute(statement).all()
    places = [list(row[1:]) for row in rows]
    runs = [row[0] for row in rows[:limit]]
    return FoundRuns(runs, places[limit - 1] if len(rows) > limit else None)
