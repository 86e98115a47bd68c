"""From a credential to the actor behind it: one statement each, nothing remembered.

Every answer comes from the rows as they are now, so ending a session, revoking a key, losing
an attempt or changing a role acts on the very next call.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from domain.access.policy import Actor, ActorKind
from domain.access.tokens import Prefix, digest
from domain.clock import now
from domain.errors import Unauthenticated
from models.accounts import ApiKey, LiveTicket, User, UserSession
from models.projects import Membership, Project, ProjectRole
from models.runs import Attempt, Run


class SessionEnded(Unauthenticated):
    code = "session_ended"


class KeyRefused(Unauthenticated):
    code = "key_refused"


class TicketRefused(Unauthenticated):
    code = "ticket_refused"


_roles = (
    select(func.jsonb_object_agg(Membership.project_id, Membership.role))
    .join(Project, Project.id == Membership.project_id)
    .where(Membership.user_id == User.id, Project.deleted_at.is_(None))
    .correlate(User)
    .scalar_subquery()
)


def actor_of_session(session: Session, session_id: UUID) -> Actor:
    """:raises SessionEnded: it was ended, has expired, or its person was deactivated."""
    row = session.execute(
        select(User.id, User.role, _roles)
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            UserSession.id == session_id,
            UserSession.ended_at.is_(None),
            UserSession.expires_at > func.now(),
            User.is_active,
        )
    ).one_or_none()
    if row is None:
        raise SessionEnded("this session has ended; sign in again")
    user_id, role, roles = row
    return Actor(ActorKind.USER, user_id, role, _read(roles), session_id=session_id)


def actor_of_token(session: Session, token: str) -> Actor:
    """The actor behind an API key or an attempt's token.

    :raises KeyRefused: it is not known, was revoked, has expired, or its attempt is over.
    """
    if token.startswith(Prefix.RUN):
        return _actor_of_attempt(session, token)
    return _actor_of_key(session, ApiKey.digest == digest(token))


def _actor_of_key(session: Session, is_the_one: Any) -> Actor:
    row = session.execute(
        _keys().where(
            is_the_one,
            ApiKey.revoked_at.is_(None),
            ApiKey.expires_at > func.now(),
            User.is_active,
        )
    ).one_or_none()
    if row is None:
        raise KeyRefused("this API key is not known, was revoked or has expired")
    key_id, last_used_at, user_id, role, roles = row
    if last_used_at is None or (now() - last_used_at).total_seconds() > 60:
        session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=func.now()))
    return Actor(ActorKind.KEY, user_id, role, _read(roles), api_key_id=key_id)


def _keys() -> Select[Any]:
    return select(ApiKey.id, ApiKey.last_used_at, User.id, User.role, _roles).join(
        User, User.id == ApiKey.user_id
    )


def _actor_of_attempt(session: Session, token: str) -> Actor:
    row = session.execute(
        select(
            Attempt.id.label("attempt_id"),
            Run.id.label("run_id"),
            Run.project_id,
            Run.experiment_id,
            Run.created_by_id,
        )
        .join(Run, Run.id == Attempt.run_id)
        .where(Attempt.token_digest == digest(token), Attempt.outcome.is_(None))
    ).one_or_none()
    if row is None:
        raise KeyRefused("this attempt is over; its token is no longer valid")
    return Actor(
        ActorKind.RUN,
        row.created_by_id,
        projects={row.project_id: ProjectRole.EDITOR},
        attempt_id=row.attempt_id,
        run_id=row.run_id,
        experiment_id=row.experiment_id,
    )


def actor_of_ticket(session: Session, ticket: str) -> Actor:
    """Spend a ticket. :raises TicketRefused: unknown, spent or too old."""
    spent = session.execute(
        delete(LiveTicket)
        .where(LiveTicket.digest == digest(ticket))
        .returning(LiveTicket.session_id, LiveTicket.api_key_id, LiveTicket.expires_at)
    ).one_or_none()
    if spent is None or spent.expires_at < now():
        raise TicketRefused("this ticket is not known, was used or is too old; ask for a new one")
    return actor_again(session, spent.session_id, spent.api_key_id)


def actor_again(session: Session, session_id: UUID | None, api_key_id: UUID | None) -> Actor:
    """The actor of a long connection as the rows are now.

    :raises Unauthenticated: the session or the key has ended.
    """
    if session_id is not None:
        return actor_of_session(session, session_id)
    return _actor_of_key(session, ApiKey.id == api_key_id)


def _read(roles: Mapping[str, str] | None) -> dict[UUID, ProjectRole]:
    return {UUID(project): ProjectRole(role) for project, role in (roles or {}).items()}
