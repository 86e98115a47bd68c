"""Passes to the live socket."""

from sqlalchemy import select

from domain.access.credentials import TicketRefused, actor_of_ticket
from models.accounts import LiveTicket
from models.session import transaction
from tests.people import Person


def test_a_ticket_opens_one_socket(alice: Person) -> None:
    answer = alice.post("/live/tickets")
    assert answer.status_code == 201
    ticket = answer.json["ticket"]
    assert answer.json["url"].endswith("/live")
    with transaction() as session:
        assert actor_of_ticket(session, ticket).user_id == alice.user_id
    with transaction() as session:
        try:
            actor_of_ticket(session, ticket)
        except TicketRefused:
            return
    raise AssertionError("the ticket worked twice")


def test_a_ticket_is_not_kept(alice: Person) -> None:
    ticket = alice.post("/live/tickets").json["ticket"]
    with transaction() as session:
        assert ticket.encode() not in session.scalars(select(LiveTicket.digest)).one()
