"""What a client logs to a run: parameters, tags and metrics, in one transaction.

Parameters are a run's premises, so one that is set stays: the same value again is no error,
another one is.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.command import command
from domain.errors import Invalid, NotFound
from domain.runs.fence import HOLDS, attempt_of, refuse_if_fenced
from domain.runs.located import LocatedRun
from domain.runs.metrics import Point, log_points
from domain.runs.names import check_name, check_tag
from models.runs import Run

# Params: the older value wins, and none may differ; that is asked of the row alone, because a
# subquery would not be asked again after waiting for another writer. Tags: the newer one wins. A
# name renames only what a client recorded; the version tells editors that somebody was faster.
WRITE = f"""
update runs
set params = %(params)s::jsonb || params,
    tags = tags || %(tags)s::jsonb,
    name = case when origin = 'recorded' then coalesce(%(name)s::text, name) else name end,
    version = version + (%(tags)s::jsonb <> '{{}}')::int,
    updated_at = clock_timestamp()
where id = %(run)s::uuid and deleted_at is null and {HOLDS}
    and (%(params)s::jsonb || params) @> %(params)s::jsonb
returning 1
"""  # noqa: S608 - made of our own constants
FORGET = f"""
update runs
set tags = tags - %(tag)s::text, version = version + 1, updated_at = clock_timestamp()
where id = %(run)s::uuid and deleted_at is null and {HOLDS} and tags ? %(tag)s::text
returning 1
"""  # noqa: S608 - made of our own constants


class ParameterSet(Invalid):
    """A parameter has been set to another value before."""

    code = "parameter_set"


@command(requires=Permission.RUN_LOG, audited=False)
def log(
    session: Session,
    actor: Actor,
    run: LocatedRun,
    *,
    points: Sequence[Point] = (),
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    name: str | None = None,
) -> int | None:
    """Write all of it or nothing, and return the ordinal of the last point if there are points.

    :raises NameRefused: something cannot be called that.
    :raises ParameterSet: a parameter has another value already.
    :raises Deleted: the run is out of sight. :raises KeyRefused: the attempt is over.
    """
    for key in {point.key for point in points} | set(params or ()):
        check_name(key)
    for key in tags or ():
        check_tag(key)
    if params or tags:
        _write(session, actor, run, params or {}, tags or {}, name)
    if not points:
        return None
    return log_points(session, run.number, run.experiment_id, points, attempt_id=attempt_of(actor))


@command(requires=Permission.RUN_LOG, audited=False)
def delete_tag(session: Session, actor: Actor, run: LocatedRun, *, tag: str) -> None:
    """:raises NotFound: the run has no such tag. :raises KeyRefused: the attempt is over."""
    check_tag(tag)
    given = {"run": run.id, "attempt": attempt_of(actor), "tag": tag}
    if session.connection().exec_driver_sql(FORGET, given).first() is None:
        refuse_if_fenced(session, run.number, attempt_of(actor))
        raise NotFound(f"run {run.id.hex} has no tag {tag!r}")


def _write(
    session: Session,
    actor: Actor,
    run: LocatedRun,
    params: Mapping[str, str],
    tags: Mapping[str, str],
    name: str | None,
) -> None:
    given = {
        "run": run.id,
        "attempt": attempt_of(actor),
        "params": orjson.dumps(params).decode(),
        "tags": orjson.dumps(tags).decode(),
        "name": name,
    }
    if session.connection().exec_driver_sql(WRITE, given).first() is None:
        refuse_if_fenced(session, run.number, attempt_of(actor))
        _refuse_other_values(session, run.id, params)


def _refuse_other_values(session: Session, run_id: UUID, params: Mapping[str, str]) -> None:
    kept = session.scalars(select(Run.params).where(Run.id == run_id)).one()
    for key, value in params.items():
        if kept.get(key, value) != value:
            raise ParameterSet(
                f"the parameter {key!r} is {kept[key]!r} already and cannot become {value!r}"
            )
    raise AssertionError("parameters were refused for no reason")
