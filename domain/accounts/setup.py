"""The first administrator: made once, with a token only the machine's owner can read."""

import secrets

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from domain.access.tokens import Prefix, digest, new_token
from domain.accounts.passwords import hashed
from domain.clock import now
from domain.errors import Conflict, Forbidden
from models.accounts import PlatformRole, SetupToken, User


class AlreadySetUp(Conflict):
    code = "already_set_up"


class WrongSetupToken(Forbidden):
    code = "wrong_setup_token"


def is_set_up(session: Session) -> bool:
    """Whether there is an administrator."""
    return bool(session.scalar(select(exists().where(User.role == PlatformRole.ADMIN))))


def issue_setup_token(session: Session) -> str | None:
    """A fresh one-time token, replacing any earlier one; None once there is an administrator."""
    if is_set_up(session):
        return None
    token = new_token(Prefix.SETUP)
    session.execute(
        insert(SetupToken)
        .values(id=1, digest=digest(token))
        .on_conflict_do_update(index_elements=["id"], set_={"digest": digest(token)})
    )
    return token


def create_first_admin(
    session: Session, *, token: str, email: str, name: str, password: str
) -> User:
    """Make the first administrator; of two at once, one wins.

    :raises WrongSetupToken: the token is not the one issued last.
    :raises AlreadySetUp: there is an administrator.
    """
    kept = session.scalar(select(SetupToken).with_for_update())
    if is_set_up(session):
        raise AlreadySetUp("this installation has an administrator; sign in instead")
    if kept is None or not secrets.compare_digest(kept.digest, digest(token)):
        raise WrongSetupToken("this is not the setup token that was printed last")
    kept.used_at = now()
    admin = User(email=email, name=name, password_hash=hashed(password), role=PlatformRole.ADMIN)
    session.add(admin)
    session.flush()
    return admin


def first_admin(session: Session) -> User | None:
    """The administrator who has been here longest."""
    return session.scalar(
        select(User)
        .where(User.role == PlatformRole.ADMIN, User.is_active)
        .order_by(User.id)
        .limit(1)
    )
