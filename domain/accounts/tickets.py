"""Single-use passes to the live socket."""

from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.access.tokens import Prefix, digest, new_token
from domain.clock import in_seconds
from domain.command import command
from models.accounts import LiveTicket

LIFE_SECONDS = 30.0


@command(requires=Permission.LIVE_LISTEN)
def issue_ticket(session: Session, actor: Actor, subject: None) -> str:
    """A pass that opens one socket within 30 seconds, with the actor's own rights."""
    ticket = new_token(Prefix.TICKET)
    session.add(
        LiveTicket(
            digest=digest(ticket),
            user_id=actor.user_id,
            session_id=actor.session_id,
            api_key_id=actor.api_key_id,
            expires_at=in_seconds(LIFE_SECONDS),
        )
    )
    return ticket
