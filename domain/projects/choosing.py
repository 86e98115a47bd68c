"""Which project a client works in that does not say so."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, visible
from domain.errors import Invalid, NotFound
from models.projects import Membership, Project


class NoProject(Invalid):
    """The actor belongs to no project."""

    code = "no_project"


def choose_project(session: Session, actor: Actor, name: str | None) -> Project:
    """The project of this name, or without one the project the actor joined first.

    :raises NotFound: there is none of this name that the actor may see.
    :raises NoProject: there is none to choose.
    """
    live = select(Project).where(Project.deleted_at.is_(None))
    if name:
        project = session.scalar(
            visible(live.where(Project.name == name), actor, Permission.PROJECT_READ, Project.id)
        )
        if project is None:
            raise NotFound(f"there is no project {name!r}")
        return project
    joined = live.join(Membership, Membership.project_id == Project.id)
    project = session.scalar(
        joined.where(Membership.user_id == actor.user_id)
        .order_by(Membership.added_at, Project.id)
        .limit(1)
    )
    if project is None:
        raise NoProject(
            "you belong to no project; make one with POST /api/v1/projects or ask to be added"
        )
    return project
