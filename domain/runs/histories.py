"""Reading metrics: the latest of each key, a page of a history, or a drawable part of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.command import query
from domain.errors import Invalid
from domain.runs.located import locate_run
from domain.runs.metrics import Point
from models.metrics import LatestMetric, MetricKey

FEWEST_SAMPLES = 4
PAGE = """
select array_agg(step), array_agg(logged_ms), array_agg(value) from (
    select step, logged_ms, value
    from metric_points
    where run_number = %(run)s::int8
        and key_id = (select id from metric_keys where name = %(key)s)
        and (step, logged_ms, value) > (%(step)s::int8, %(time)s::int8, %(value)s::float8)
    order by step, logged_ms, value
    limit %(limit)s::int8
) page
"""
# Each bucket gives its lowest and highest number; NaN only when it holds nothing else.
SAMPLE = """
with placed as (
    select step, logged_ms, value,
        row_number() over series as place,
        count(*) over () as total,
        ntile(%(buckets)s::int4) over series as bucket
    from metric_points
    where run_number = %(run)s::int8
        and key_id = (select id from metric_keys where name = %(key)s)
    window series as (order by step, logged_ms, value)
), extremes as (
    select bucket,
        coalesce(min(value) filter (where value <> 'NaN'), 'NaN') as low,
        coalesce(max(value) filter (where value <> 'NaN'), 'NaN') as high
    from placed group by bucket
), chosen as (
    select distinct on (placed.bucket, placed.value) placed.place
    from placed join extremes using (bucket)
    where placed.value in (extremes.low, extremes.high)
    order by placed.bucket, placed.value, placed.place
)
select step, logged_ms, value
from placed
where total <= %(most)s::int8 or place in (1, total) or place in (select place from chosen)
order by place
"""
BEFORE_ALL = (-(2**63), -(2**63), float("-inf"))


class Place(NamedTuple):
    """Where a point stands in its history, which is ordered by step, then time, then value."""

    step: int
    logged_ms: int
    value: float


@dataclass(frozen=True)
class History:
    """Part of a history, and where to go on unless it ends here."""

    points: Sequence[Place]
    more_after: Place | None


@query(requires=Permission.METRIC_READ)
def latest_metrics(session: Session, actor: Actor, run_id: UUID) -> Sequence[Point]:
    """The latest point of each key of a run. :raises NotFound: no such run for the actor."""
    run = locate_run(session, actor, run_id)
    return latest_of(session, [run.number])[run.number]


def latest_of(session: Session, run_numbers: Sequence[int]) -> Mapping[int, list[Point]]:
    """The latest points of many runs, which the caller may see, in one statement."""
    rows = session.execute(
        select(
            LatestMetric.run_number,
            MetricKey.name,
            LatestMetric.step,
            LatestMetric.logged_ms,
            LatestMetric.value,
        )
        .join(MetricKey, MetricKey.id == LatestMetric.key_id)
        .where(LatestMetric.run_number.in_(run_numbers))
        .order_by(LatestMetric.run_number, MetricKey.name)
    )
    latest: dict[int, list[Point]] = defaultdict(list)
    for run_number, key, step, logged_ms, value in rows:
        latest[run_number].append(Point(key, step, logged_ms, value))
    return latest


@query(requires=Permission.METRIC_READ)
def metric_history(
    session: Session,
    actor: Actor,
    run_id: UUID,
    key: str,
    *,
    limit: int,
    after: Place | None = None,
) -> History:
    """A page of a key's points, by step. :raises NotFound: no such run for the actor."""
    run = locate_run(session, actor, run_id)
    step, time, value = after or BEFORE_ALL
    given = {"step": step, "time": time, "value": value, "limit": limit + 1}
    columns = (
        session.connection().exec_driver_sql(PAGE, given | {"run": run.number, "key": key}).one()
    )
    points = [Place(*point) for point in zip(*(column or [] for column in columns), strict=True)]
    more = len(points) > limit
    points = points[:limit]
    return History(points, points[-1] if more else None)


@query(requires=Permission.METRIC_READ)
def sampled_history(
    session: Session, actor: Actor, run_id: UUID, key: str, *, most: int
) -> Sequence[Place]:
    """At most so many points that still draw the same picture.

    The first, the last and the extremes of even stretches are kept, so no spike is lost.

    :raises NotFound: no such run for the actor. :raises Invalid: too few were asked for.
    """
    if most < FEWEST_SAMPLES:
        raise Invalid(f"ask for {FEWEST_SAMPLES} points at least", pointer="#/query/points")
    run = locate_run(session, actor, run_id)
    given = {"run": run.number, "key": key, "most": most, "buckets": (most - 2) // 2}
    rows = session.connection().exec_driver_sql(SAMPLE, given)
    return [Place(*row) for row in rows]
