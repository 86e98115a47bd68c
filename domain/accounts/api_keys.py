"""Personal keys for scripts."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, authorize
from domain.access.tokens import Prefix, digest, new_token
from domain.accounts.sessions import tell_rights_changed
from domain.clock import in_seconds, now
from domain.command import command, query
from domain.errors import NotFound
from domain.paging import Page, PageRequest, paginate
from models.accounts import ApiKey

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class NewApiKey:
    """A key with its secret, which is shown this once."""

    key: ApiKey
    token: str


@command(requires=Permission.API_KEY_MANAGE)
def create_api_key(
    session: Session, actor: Actor, subject: None, *, name: str, days: float
) -> NewApiKey:
    """Make a key that holds the person's own rights for some days."""
    return issue_api_key(session, actor.user_id, name=name, seconds=days * DAY_SECONDS)


def issue_api_key(session: Session, user_id: UUID, *, name: str, seconds: float) -> NewApiKey:
    """Make a key without asking for the right to; for the local command line."""
    token = new_token(Prefix.KEY)
    key = ApiKey(
        user_id=user_id,
        name=name,
        hint=token[:10],
        digest=digest(token),
        expires_at=in_seconds(seconds),
    )
    session.add(key)
    session.flush()
    return NewApiKey(key, token)


@command(requires=Permission.API_KEY_MANAGE)
def revoke_api_key(session: Session, actor: Actor, subject: None, *, key_id: UUID) -> None:
    """End a key at once. :raises NotFound: it is not one of the actor's."""
    key = session.scalar(
        select(ApiKey).where(
            ApiKey.id == key_id, ApiKey.user_id == actor.user_id, ApiKey.revoked_at.is_(None)
        )
    )
    if key is None:
        raise NotFound(f"you have no API key with id {key_id}")
    key.revoked_at = now()
    tell_rights_changed(session)


@query(requires=Permission.API_KEY_MANAGE)
def list_api_keys(session: Session, actor: Actor, page: PageRequest) -> Page[ApiKey]:
    """The actor's keys that were not revoked, newest first."""
    authorize(actor, Permission.API_KEY_MANAGE)
    statement = select(ApiKey).where(ApiKey.user_id == actor.user_id, ApiKey.revoked_at.is_(None))
    return paginate(
        session,
        statement,
        page,
        sorts={"id": ApiKey.id, "name": ApiKey.name, "created_at": ApiKey.created_at},
        default="-id",
        scope="api_keys",
    )
