"""Reading intents."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, visible
from domain.command import query
from domain.errors import NotFound
from domain.paging import Page, PageRequest, paginate
from models.intents import Intent, IntentState


@query(requires=Permission.INTENT_READ)
def find_intent(session: Session, actor: Actor, intent_id: UUID) -> Intent:
    """:raises NotFound: there is none that the actor may see."""
    statement = select(Intent).where(Intent.id == intent_id)
    intent = session.scalar(visible(statement, actor, Permission.INTENT_READ, Intent.project_id))
    if intent is None:
        raise NotFound(f"there is no intent with id {intent_id}")
    return intent


@query(requires=Permission.INTENT_READ)
def list_intents(
    session: Session,
    actor: Actor,
    page: PageRequest,
    *,
    project_id: UUID | None = None,
    subject_id: UUID | None = None,
    action: str | None = None,
    state: IntentState | None = None,
) -> Page[Intent]:
    statement = visible(select(Intent), actor, Permission.INTENT_READ, Intent.project_id)
    filters = {
        Intent.project_id: project_id,
        Intent.subject_id: subject_id,
        Intent.action: action,
        Intent.state: state,
    }
    for column, wanted in filters.items():
        if wanted is not None:
            statement = statement.where(column == wanted)
    return paginate(
        session,
        statement,
        page,
        sorts={"id": Intent.id, "created_at": Intent.created_at},
        default="-id",
        scope=f"intents|{project_id}|{subject_id}|{action}|{state}",
    )
