"""Making accounts."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.accounts.passwords import hashed
from domain.command import command
from domain.errors import Conflict
from models.accounts import PlatformRole, User


class EmailTaken(Conflict):
    code = "email_taken"


@command(requires=Permission.ACCOUNT_CREATE)
def create_account(
    session: Session,
    actor: Actor,
    subject: None,
    *,
    email: str,
    name: str,
    password: str,
    role: PlatformRole = PlatformRole.USER,
) -> User:
    """Make an account for a person. :raises EmailTaken: there is one. :raises WeakPassword:"""
    user = User(email=email, name=name, password_hash=hashed(password), role=role)
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError:
        raise EmailTaken("there is an account with this e-mail address", pointer="/email") from None
    return user
