"""Uploaded training code."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, visible
from domain.command import command, query
from domain.errors import Conflict, NotFound
from domain.paging import Page, PageRequest, paginate
from models.projects import Project
from models.runs import Run, Source


class SourceInUse(Conflict):
    code = "source_in_use"


def folder_of(project_id: UUID) -> str:
    """Where a project's archives lie in the artifact store, each under its digest."""
    return f"projects/{project_id}/sources"


def stored_at(source: Source) -> str:
    """Where a source's archive lies in the artifact store."""
    return f"{folder_of(source.project_id)}/{source.sha256}"


@command(requires=Permission.SOURCE_CREATE)
def create_source(
    session: Session,
    actor: Actor,
    project: Project,
    *,
    name: str,
    kind: str,
    size: int,
    sha256: str,
    files: Sequence[dict[str, Any]],
) -> Source:
    """Write down an archive that was checked and stored."""
    source = Source(
        project_id=project.id,
        name=name,
        kind=kind,
        size=size,
        sha256=sha256,
        files=list(files),
        created_by_id=actor.user_id,
    )
    session.add(source)
    session.flush()
    return source


@command(requires=Permission.SOURCE_DELETE)
def delete_source(session: Session, actor: Actor, source: Source) -> None:
    """Forget a source that no run uses. :raises SourceInUse: one does."""
    if session.scalar(select(exists().where(Run.source_id == source.id))):
        raise SourceInUse("runs use this source; it stays for as long as they do")
    session.delete(source)


@query(requires=Permission.SOURCE_READ)
def find_source(session: Session, actor: Actor, source_id: UUID) -> Source:
    """:raises NotFound: there is none that the actor may see."""
    statement = select(Source).where(Source.id == source_id)
    source = session.scalar(visible(statement, actor, Permission.SOURCE_READ, Source.project_id))
    if source is None:
        raise NotFound(f"there is no source with id {source_id}")
    return source


@query(requires=Permission.SOURCE_READ)
def list_sources(
    session: Session, actor: Actor, page: PageRequest, *, project_id: UUID
) -> Page[Source]:
    statement = select(Source).where(Source.project_id == project_id)
    return paginate(
        session,
        visible(statement, actor, Permission.SOURCE_READ, Source.project_id),
        page,
        sorts={"id": Source.id, "name": Source.name, "created_at": Source.created_at},
        default="-id",
        scope=f"sources|{project_id}",
    )
