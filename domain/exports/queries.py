"""Reading exports."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, visible
from domain.command import query
from domain.errors import NotFound
from domain.paging import Page, PageRequest, paginate
from models.exports import Export


@query(requires=Permission.EXPORT_READ)
def find_export(session: Session, actor: Actor, export_id: UUID) -> Export:
    """:raises NotFound: there is none that the actor may see."""
    statement = select(Export).where(Export.id == export_id)
    export = session.scalar(visible(statement, actor, Permission.EXPORT_READ, Export.project_id))
    if export is None:
        raise NotFound(f"there is no export with id {export_id}")
    return export


@query(requires=Permission.EXPORT_READ)
def list_exports(
    session: Session,
    actor: Actor,
    page: PageRequest,
    *,
    project_id: UUID,
    run_id: UUID | None = None,
) -> Page[Export]:
    statement = select(Export).where(Export.project_id == project_id)
    if run_id is not None:
        statement = statement.where(Export.run_id == run_id)
    return paginate(
        session,
        visible(statement, actor, Permission.EXPORT_READ, Export.project_id),
        page,
        sorts={"id": Export.id, "created_at": Export.created_at, "size": Export.size},
        default="-id",
        scope=f"exports|{project_id}|{run_id}",
    )
