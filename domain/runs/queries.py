"""Reading runs."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.command import query
from domain.errors import NotFound
from domain.paging import Page, PageRequest, paginate
from domain.runs.located import within_reach
from models.runs import Attempt, Run, RunState, RunTransition

SORTS = {
    "id": Run.id,
    "created_at": Run.created_at,
    "updated_at": Run.updated_at,
    "name": Run.name,
    "state": Run.state,
}


@query(requires=Permission.RUN_READ)
def find_run(session: Session, actor: Actor, run_id: UUID, *, lock: bool = False) -> Run:
    """One run; locked, it stays as it is until the transaction ends.

    :raises NotFound: there is none that the actor may see.
    """
    statement = select(Run).where(Run.id == run_id, Run.deleted_at.is_(None))
    statement = within_reach(statement, actor)
    if lock:
        statement = statement.with_for_update(key_share=True)
    run = session.scalar(statement)
    if run is None:
        raise NotFound(f"there is no run with id {run_id}")
    return run


def lock_run(session: Session, run_id: UUID) -> Run:
    """One run for our own machinery, which has been authorised before."""
    return session.scalars(
        select(Run).where(Run.id == run_id).with_for_update(key_share=True)
    ).one()


@query(requires=Permission.RUN_READ)
def list_runs(
    session: Session,
    actor: Actor,
    page: PageRequest,
    *,
    project_id: UUID | None = None,
    experiment_id: UUID | None = None,
    parent_id: UUID | None = None,
    state: RunState | None = None,
    name: str | None = None,
) -> Page[Run]:
    """Runs the actor may see, newest first unless sorted otherwise; ``name`` matches a part."""
    statement = select(Run).where(Run.deleted_at.is_(None))
    statement = within_reach(statement, actor)
    filters = {
        Run.project_id: project_id,
        Run.experiment_id: experiment_id,
        Run.parent_id: parent_id,
        Run.state: state,
    }
    for column, wanted in filters.items():
        if wanted is not None:
            statement = statement.where(column == wanted)
    if name:
        statement = statement.where(Run.name.icontains(name, autoescape=True))
    return paginate(
        session,
        statement,
        page,
        sorts=SORTS,
        default="-id",
        scope=f"runs|{project_id}|{experiment_id}|{parent_id}|{state}|{name}",
    )


@query(requires=Permission.RUN_READ)
def list_transitions(session: Session, actor: Actor, run_id: UUID) -> list[RunTransition]:
    """Every move of a run, oldest first. :raises NotFound: no such run for the actor."""
    run = find_run(session, actor, run_id)
    return list(
        session.scalars(
            select(RunTransition).where(RunTransition.run_id == run.id).order_by(RunTransition.id)
        )
    )


@query(requires=Permission.RUN_READ)
def list_attempts(session: Session, actor: Actor, run_id: UUID) -> list[Attempt]:
    """Every attempt of a run, first one first. :raises NotFound: no such run for the actor."""
    run = find_run(session, actor, run_id)
    return list(
        session.scalars(select(Attempt).where(Attempt.run_id == run.id).order_by(Attempt.number))
    )
