"""The way to the live socket."""

from typing import Any

import marshmallow as ma

from api.blueprint import Blueprint
from api.identity.actor import current_actor
from domain.accounts.tickets import LIFE_SECONDS, issue_ticket
from models.session import transaction
from settings import settings

blp = Blueprint("live", __name__, url_prefix="/api/v1", description="Live events")


class TicketSchema(ma.Schema):
    """A pass that opens one socket."""

    ticket = ma.fields.String(metadata={"example": "ryt_…"})
    url = ma.fields.String(metadata={"example": "ws://127.0.0.1:8001/live"})
    expires_in = ma.fields.Integer(metadata={"description": "seconds", "example": 30})


@blp.route("/live/tickets", methods=["POST"])
@blp.response(201, TicketSchema)
@blp.performs(issue_ticket)
def create_ticket() -> dict[str, Any]:
    """Get a single-use pass to the live socket

    Open `url` with `?ticket=…` within the time given. The socket has one's own rights and is
    closed when they end.
    """
    with transaction() as session:
        ticket = issue_ticket(session, current_actor(), None)
    return {
        "ticket": ticket,
        "url": f"{settings().live_url.rstrip('/')}/live",
        "expires_in": int(LIFE_SECONDS),
    }
