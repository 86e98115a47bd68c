"""Signing in, staying signed in, signing out.

The access token is only a pointer to the session row, so ending the row ends everything. A
refresh token is spent on first use; one that comes back was stolen or copied, and its whole
session ends.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.access.tokens import Prefix, digest, new_token
from domain.accounts import passwords
from domain.clock import in_seconds, now
from domain.command import command
from domain.errors import Unauthenticated
from models.accounts import RefreshToken, User, UserSession
from settings import settings

MOST_SESSIONS = 20
WAKE_LIVE = "runyard_rights"


class WrongCredentials(Unauthenticated):
    code = "wrong_credentials"


class RefreshRefused(Unauthenticated):
    code = "refresh_refused"


@dataclass(frozen=True)
class SignedIn:
    """A session and the refresh token that continues it."""

    session: UserSession
    refresh_token: str


def sign_in(
    session: Session, *, email: str, password: str, user_agent: str = "", address: str = ""
) -> SignedIn:
    """Open a session. :raises WrongCredentials: one answer for every reason."""
    user = session.scalar(select(User).where(func.lower(User.email) == email.lower()))
    kept = user.password_hash if user is not None and user.is_active else None
    if not passwords.matches(password, kept) or user is None:
        raise WrongCredentials("the e-mail address or the password is wrong")
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hashed(password)
    user.last_sign_in_at = now()
    opened = UserSession(
        user_id=user.id,
        expires_at=in_seconds(settings().session_seconds),
        last_seen_at=now(),
        user_agent=user_agent[:256],
        address=address,
    )
    session.add(opened)
    session.flush()
    _end_oldest(session, user.id)
    return SignedIn(opened, _issue(session, opened.id))


def refresh(session: Session, token: str) -> SignedIn | None:
    """Spend a refresh token for the next one.

    None means that it was spent before and its session has been ended for that; the caller
    commits that and then refuses. :raises RefreshRefused: unknown, expired, or signed out.
    """
    link = session.scalar(
        select(RefreshToken).where(RefreshToken.digest == digest(token)).with_for_update()
    )
    if link is None:
        raise RefreshRefused("this refresh token is not known; sign in again")
    opened = session.get_one(UserSession, link.session_id, with_for_update=True)
    if opened.ended_at is not None or min(opened.expires_at, link.expires_at) < now():
        raise RefreshRefused("this session has ended; sign in again")
    if link.spent_at is not None:
        _end(session, [opened.id], "refresh token used twice")
        return None
    link.spent_at = opened.last_seen_at = now()
    return SignedIn(opened, _issue(session, opened.id))


@command(requires=Permission.SESSION_END)
def sign_out(session: Session, actor: Actor, subject: None) -> None:
    """End the session the actor is calling with."""
    if actor.session_id is not None:
        _end(session, [actor.session_id], "signed out")


def _issue(session: Session, session_id: UUID) -> str:
    token = new_token(Prefix.REFRESH)
    session.add(
        RefreshToken(
            session_id=session_id,
            digest=digest(token),
            expires_at=in_seconds(settings().refresh_idle_seconds),
        )
    )
    return token


def _end(session: Session, session_ids: list[UUID], reason: str) -> None:
    session.execute(
        update(UserSession)
        .where(UserSession.id.in_(session_ids), UserSession.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp(), end_reason=reason)
    )
    tell_rights_changed(session)


def tell_rights_changed(session: Session) -> None:
    """Have the live hubs look again whether their listeners may still listen."""
    session.execute(select(func.pg_notify(WAKE_LIVE, "")))


def _end_oldest(session: Session, user_id: UUID) -> None:
    surplus = session.scalars(
        select(UserSession.id)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .order_by(UserSession.id.desc())
        .offset(MOST_SESSIONS)
    ).all()
    if surplus:
        _end(session, list(surplus), "too many sessions")
