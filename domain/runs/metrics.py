"""Writing metric points: one statement for any number of them.

The statement first takes the run's tail, which hands out the ordinals. So writers of one run
come one after another, and their locks on points and latest values cannot cross.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from domain.runs.fence import HOLDS, refuse_if_fenced
from models.metrics import MetricKey

# A float8 orders NaN above all other numbers, so the greatest (step, time, value) is well defined.
LOG = f"""
with known as (
    select wanted.place, metric_keys.id
    from unnest(%(names)s::text[]) with ordinality wanted(name, place)
    join metric_keys on metric_keys.name = wanted.name
), tail as (
    insert into metric_tails as tails (run_number, ordinal)
    select runs.number, cardinality(%(steps)s::int8[])
    from runs
    where runs.number = %(run)s::int8 and runs.deleted_at is null and {HOLDS}
        and (select count(*) from known) = cardinality(%(names)s::text[])
    on conflict (run_number) do update set ordinal = tails.ordinal + excluded.ordinal
    returning run_number, ordinal
), given as (
    select tail.run_number, known.id as key_id, point.step, point.logged_ms, point.value
    from tail
    cross join unnest(
        %(places)s::int8[], %(steps)s::int8[], %(times)s::int8[], %(values)s::float8[]
    ) point(place, step, logged_ms, value)
    join known on known.place = point.place
), kept as (
    insert into metric_points (run_number, key_id, step, logged_ms, value)
    select run_number, key_id, step, logged_ms, value from given
    on conflict do nothing
), newest as (
    insert into latest_metrics as latest
        (run_number, key_id, experiment_id, step, logged_ms, value)
    select distinct on (key_id) run_number, key_id, %(experiment)s::uuid, step, logged_ms, value
    from given
    order by key_id, step desc, logged_ms desc, value desc
    on conflict (run_number, key_id) do update
    set step = excluded.step, logged_ms = excluded.logged_ms, value = excluded.value
    where (excluded.step, excluded.logged_ms, excluded.value)
        > (latest.step, latest.logged_ms, latest.value)
)
select ordinal from tail
"""  # noqa: S608 - made of our own constants


@dataclass(frozen=True, slots=True)
class Point:
    """One number a client logged; ``logged_ms`` is the client's clock."""

    key: str
    step: int
    logged_ms: int
    value: float


def log_points(
    session: Session,
    run_number: int,
    experiment_id: UUID,
    points: Sequence[Point],
    *,
    attempt_id: UUID | None = None,
) -> int:
    """Keep points, each once, and return how many the run has been sent with them.

    The first time that a name is heard takes two statements more.

    :raises Deleted: the run is out of sight. :raises KeyRefused: the attempt is over.
    """
    given = _as_arrays(points)
    given |= {"run": run_number, "experiment": experiment_id, "attempt": attempt_id}
    ordinal = _log(session, given)
    if ordinal is None:
        refuse_if_fenced(session, run_number, attempt_id)
        _learn(session, given["names"])
        ordinal = _log(session, given)
    if ordinal is None:
        refuse_if_fenced(session, run_number, attempt_id)
        raise AssertionError("points found neither a run nor a reason")
    return ordinal


def _as_arrays(points: Sequence[Point]) -> dict[str, Any]:
    """Names travel once; a point carries the place of its name."""
    places: dict[str, int] = {}
    return {
        "places": [places.setdefault(point.key, len(places) + 1) for point in points],
        "steps": [point.step for point in points],
        "times": [point.logged_ms for point in points],
        "values": [point.value for point in points],
        "names": list(places),
    }


def _log(session: Session, given: dict[str, Any]) -> int | None:
    row = session.connection().exec_driver_sql(LOG, given).one_or_none()
    return row.ordinal if row else None


def _learn(session: Session, names: Sequence[str]) -> None:
    """Add names to the dictionary, in one order, so that two who add the same cannot deadlock."""
    known = set(session.scalars(select(MetricKey.name).where(MetricKey.name.in_(names))))
    new = [{"name": name} for name in sorted(set(names) - known)]
    if new:
        session.execute(insert(MetricKey).on_conflict_do_nothing(), new)
