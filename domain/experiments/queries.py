"""Reading experiments."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, ActorKind, visible
from domain.command import query
from domain.errors import NotFound
from domain.paging import Page, PageRequest, paginate
from models.experiments import Experiment


@query(requires=Permission.EXPERIMENT_READ)
def find_experiment(
    session: Session, actor: Actor, experiment_id: UUID, *, lock: bool = False
) -> Experiment:
    """:raises NotFound: there is none that the actor may see."""
    statement = select(Experiment).where(
        Experiment.id == experiment_id, Experiment.deleted_at.is_(None)
    )
    statement = visible(statement, actor, Permission.EXPERIMENT_READ, Experiment.project_id)
    if actor.kind is ActorKind.RUN:
        statement = statement.where(Experiment.id == actor.experiment_id)
    experiment = session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if experiment is None:
        raise NotFound(f"there is no experiment with id {experiment_id}")
    return experiment


@query(requires=Permission.EXPERIMENT_READ)
def list_experiments(
    session: Session,
    actor: Actor,
    page: PageRequest,
    *,
    project_id: UUID | None = None,
    name: str | None = None,
) -> Page[Experiment]:
    """Experiments the actor may see; ``name`` matches a part."""
    statement = select(Experiment).where(Experiment.deleted_at.is_(None))
    statement = visible(statement, actor, Permission.EXPERIMENT_READ, Experiment.project_id)
    if project_id is not None:
        statement = statement.where(Experiment.project_id == project_id)
    if name:
        statement = statement.where(Experiment.name.icontains(name, autoescape=True))
    return paginate(
        session,
        statement,
        page,
        sorts={
            "id": Experiment.id,
            "name": Experiment.name,
            "created_at": Experiment.created_at,
            "updated_at": Experiment.updated_at,
        },
        default="-id",
        scope=f"experiments|{project_id}|{name}",
    )
