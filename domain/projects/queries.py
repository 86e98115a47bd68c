"""Reading projects and their members."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from domain.access.permissions import Permission
from domain.access.policy import Actor, visible
from domain.command import query
from domain.errors import NotFound
from domain.paging import Page, PageRequest, paginate
from models.projects import Membership, Project


@query(requires=Permission.PROJECT_READ)
def find_project(
    session: Session, actor: Actor, project_id: UUID, *, lock: bool = False
) -> Project:
    """:raises NotFound: there is none that the actor may see."""
    statement = select(Project).where(Project.id == project_id, Project.deleted_at.is_(None))
    statement = visible(statement, actor, Permission.PROJECT_READ, Project.id)
    project = session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if project is None:
        raise NotFound(f"there is no project with id {project_id}")
    return project


@query(requires=Permission.PROJECT_READ)
def list_projects(
    session: Session, actor: Actor, page: PageRequest, *, name: str | None = None
) -> Page[Project]:
    """Projects the actor belongs to; ``name`` matches a part."""
    statement = select(Project).where(Project.deleted_at.is_(None))
    statement = visible(statement, actor, Permission.PROJECT_READ, Project.id)
    if name:
        statement = statement.where(Project.name.icontains(name, autoescape=True))
    return paginate(
        session,
        statement,
        page,
        sorts={
            "id": Project.id,
            "name": Project.name,
            "created_at": Project.created_at,
            "updated_at": Project.updated_at,
        },
        default="-id",
        scope=f"projects|{name}",
    )


@query(requires=Permission.MEMBER_READ)
def list_members(session: Session, actor: Actor, project_id: UUID) -> Sequence[Membership]:
    """Who belongs to a project, by name. :raises NotFound: no such project for the actor."""
    project = find_project(session, actor, project_id)
    return session.scalars(
        select(Membership)
        .where(Membership.project_id == project.id)
        .options(joinedload(Membership.user))
        .join(Membership.user)
        .order_by("name")
    ).all()
