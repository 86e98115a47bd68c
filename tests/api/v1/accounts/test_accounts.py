"""Administrators make accounts; everybody reads their own."""

import pytest

from tests.api.problems import problem
from tests.people import PASSWORD, Person

DORA = {"email": "dora@example.com", "name": "Dora", "password": PASSWORD}


def test_an_administrator_makes_an_account(ada: Person) -> None:
    answer = ada.post("/accounts", DORA)
    assert answer.status_code == 201
    assert answer.json["role"] == "user"
    assert "password" not in answer.json


def test_an_address_has_one_account(ada: Person) -> None:
    ada.post("/accounts", DORA)
    again = ada.post("/accounts", DORA | {"email": "DORA@example.com"})
    problem(again, 409, "email_taken", "/email")


def test_a_user_makes_no_accounts(alice: Person) -> None:
    problem(alice.post("/accounts", DORA), 403, "forbidden")


def test_a_user_does_not_list_accounts(alice: Person) -> None:
    problem(alice.get("/accounts"), 403, "forbidden")


def test_accounts_are_found_by_a_part_of_their_name(ada: Person, alice: Person) -> None:
    found = ada.get("/accounts?search=LIC").json["items"]
    assert [account["email"] for account in found] == [alice.email]


def test_a_wildcard_is_an_ordinary_character(ada: Person, alice: Person) -> None:
    assert ada.get("/accounts?search=%25").json["items"] == []


def test_everybody_reads_their_own_account(alice: Person) -> None:
    assert alice.get("/me").json["email"] == alice.email


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("name", ""), ("password", "short"), ("role", "king"), ("role", 7)],
)
def test_an_account_has_to_make_sense(ada: Person, field: str, value: object) -> None:
    problem(ada.post("/accounts", DORA | {field: value}), 422, "invalid", f"/{field}")
