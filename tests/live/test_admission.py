"""Who may open a socket; a refusal is an ordinary HTTP answer."""

import json
from typing import Any

import pytest
import websocket

from domain.accounts.api_keys import issue_api_key
from models.accounts import LiveTicket
from models.runs import Run
from models.session import transaction
from tests.factories import begin_attempt
from tests.live.listening import Ear, LiveProcess
from tests.people import Person


def refusal(live: LiveProcess, **how: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        Ear(live, **how)
    assert refused.value.resp_headers["content-type"] == "application/problem+json"
    return refused.value.status_code, json.loads(refused.value.resp_body)


def ticket_of(person: Person) -> str:
    ticket: str = person.post("/live/tickets").json["ticket"]
    return ticket


def test_a_ticket_opens_a_socket(live: LiveProcess, alice: Person) -> None:
    with Ear(live, ticket=ticket_of(alice)) as ear:
        assert ear.hear()["frame"] == "hello"


def test_a_ticket_opens_one_socket_only(live: LiveProcess, alice: Person) -> None:
    ticket = ticket_of(alice)
    with Ear(live, ticket=ticket):
        status, problem = refusal(live, ticket=ticket)
    assert (status, problem["code"]) == (401, "ticket_refused")


def test_a_ticket_does_not_keep(live: LiveProcess, alice: Person) -> None:
    ticket = ticket_of(alice)
    with transaction() as session:
        session.query(LiveTicket).update({"expires_at": "2020-01-01T00:00:00Z"})
    assert refusal(live, ticket=ticket)[0] == 401


def test_an_api_key_opens_a_socket(live: LiveProcess, alice: Person) -> None:
    with transaction() as session:
        key = issue_api_key(session, alice.user_id, name="script", seconds=60)
    with Ear(live, token=key.token) as ear:
        assert ear.hear()["frame"] == "hello"


def test_nobody_gets_in_without_a_credential(live: LiveProcess) -> None:
    status, problem = refusal(live)
    assert (status, problem["code"]) == (401, "no_credential")


def test_a_wrong_token_is_refused(live: LiveProcess) -> None:
    assert refusal(live, token="ryk_" + "x" * 40)[0] == 401


def test_a_training_process_may_not_listen(live: LiveProcess, alice: Person, run: Run) -> None:
    status, problem = refusal(live, token=begin_attempt(alice, run).token)
    assert (status, problem["code"]) == (403, "forbidden")


def test_a_page_of_another_site_is_refused(live: LiveProcess, alice: Person) -> None:
    status, problem = refusal(live, token=alice.token, origin="https://evil.example")
    assert (status, problem["code"]) == (403, "origin_refused")


@pytest.mark.parametrize("origin", ["http://frontend.test", "http://127.0.0.1:8000"])
def test_our_own_pages_may_listen(live: LiveProcess, alice: Person, origin: str) -> None:
    with Ear(live, token=alice.token, origin=origin) as ear:
        assert ear.hear()["frame"] == "hello"


def test_one_person_holds_ten_sockets(live: LiveProcess, alice: Person, bob: Person) -> None:
    ears = [Ear(live, token=alice.token) for _ in range(10)]
    for ear in ears:
        ear.hear("hello")
    eleventh = Ear(live, token=alice.token)
    code, bye = eleventh.hear_close()
    assert (code, bye and bye["reason"]) == (4429, "too_many_sockets")
    with Ear(live, token=bob.token) as other:
        assert other.hear()["frame"] == "hello"
    for ear in ears:
        ear.socket.close()
