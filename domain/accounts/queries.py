"""Reading accounts."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, authorize
from domain.command import query
from domain.paging import Page, PageRequest, paginate
from models.accounts import User


@query(requires=Permission.PROFILE_READ)
def own_account(session: Session, actor: Actor) -> User:
    """The person who is calling."""
    authorize(actor, Permission.PROFILE_READ)
    return session.get_one(User, actor.user_id)


@query(requires=Permission.ACCOUNT_LIST)
def list_accounts(
    session: Session, actor: Actor, page: PageRequest, *, search: str | None = None
) -> Page[User]:
    """All accounts; ``search`` matches a part of the name or address."""
    authorize(actor, Permission.ACCOUNT_LIST)
    statement = select(User)
    if search:
        statement = statement.where(
            User.name.icontains(search, autoescape=True)
            | User.email.icontains(search, autoescape=True)
        )
    return paginate(
        session,
        statement,
        page,
        sorts={
            "id": User.id,
            "email": User.email,
            "name": User.name,
            "created_at": User.created_at,
        },
        default="id",
        scope=f"accounts|{search}",
    )
