"""Finding a run by id: the few columns that logging needs, or the whole of it.

Both also find a run that was deleted. MLflow's clients may look at those, and a write to one
is refused by the write itself.
"""

from dataclasses import dataclass
from typing import TypeVarTuple
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, contains_eager

from domain.access.permissions import Permission
from domain.access.policy import Actor, ActorKind, visible
from domain.command import query
from domain.errors import NotFound
from models.runs import Run

S = TypeVarTuple("S")
# Plain SQL, because this stands before every point that is logged.
LOCATE = """
select id, number, project_id, experiment_id, parent_id from runs where id = %(run)s::uuid
"""


@dataclass(frozen=True, slots=True)
class LocatedRun:
    """Enough of a run to write to it."""

    id: UUID
    number: int
    project_id: UUID
    experiment_id: UUID
    parent_id: UUID | None


@query(requires=Permission.RUN_READ)
def locate_run(session: Session, actor: Actor, run_id: UUID) -> LocatedRun:
    """:raises NotFound: there is none that the actor may see."""
    row = session.connection().exec_driver_sql(LOCATE, {"run": run_id}).one_or_none()
    run = LocatedRun(*row) if row else None
    if run is None or not _sees(actor, run):
        raise NotFound(f"there is no run with id {run_id.hex}")
    return run


@query(requires=Permission.RUN_READ)
def find_run_even_deleted(
    session: Session, actor: Actor, run_id: UUID, *, lock: bool = False
) -> Run:
    """The run with its experiment. :raises NotFound: there is none that the actor may see."""
    statement = select(Run).join(Run.experiment).options(contains_eager(Run.experiment))
    statement = within_reach(statement.where(Run.id == run_id), actor)
    if lock:
        statement = statement.with_for_update(key_share=True, of=Run)
    run = session.scalar(statement)
    if run is None:
        raise NotFound(f"there is no run with id {run_id.hex}")
    return run


def within_reach(statement: Select[*S], actor: Actor) -> Select[*S]:
    """Narrow to runs the actor may see: for an attempt, its own run and those nested in it."""
    statement = visible(statement, actor, Permission.RUN_READ, Run.project_id)
    if actor.kind is ActorKind.RUN:
        statement = statement.where(or_(Run.id == actor.run_id, Run.parent_id == actor.run_id))
    return statement


def _sees(actor: Actor, run: LocatedRun) -> bool:
    """The same as ``within_reach`` asks for, of a run at hand."""
    is_within = actor.kind is not ActorKind.RUN or actor.run_id in (run.id, run.parent_id)
    return is_within and actor.holds(Permission.RUN_READ, run.project_id)
