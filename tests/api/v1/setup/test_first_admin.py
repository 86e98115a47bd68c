"""The first administrator is made once, with the token that was printed last."""

from concurrent.futures import ThreadPoolExecutor

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from domain.accounts.setup import issue_setup_token
from models.session import transaction
from tests.api.problems import problem
from tests.people import PASSWORD, Person


def printed_token() -> str:
    with transaction() as session:
        token = issue_setup_token(session)
    assert token is not None
    return token


def set_up(client: FlaskClient, token: str, name: str = "ada", **given: str) -> TestResponse:
    body = {"token": token, "email": f"{name}@example.com", "name": name, "password": PASSWORD}
    return client.post("/api/v1/setup", json=body | given)


def test_the_printed_token_makes_the_first_administrator(client: FlaskClient) -> None:
    answer = set_up(client, printed_token())
    assert answer.status_code == 201
    assert answer.json["role"] == "admin"
    assert "password" not in answer.get_data(as_text=True)


def test_the_first_administrator_can_sign_in(client: FlaskClient) -> None:
    set_up(client, printed_token())
    answer = client.post("/api/v1/sign-in", json={"email": "ADA@example.com", "password": PASSWORD})
    assert answer.status_code == 200


def test_a_token_works_once(client: FlaskClient) -> None:
    token = printed_token()
    set_up(client, token)
    problem(set_up(client, token, "bob"), 409, "already_set_up")


def test_only_the_token_printed_last_works(client: FlaskClient) -> None:
    earlier = printed_token()
    printed_token()
    problem(set_up(client, earlier), 403, "wrong_setup_token")


def test_without_a_printed_token_nobody_sets_up(client: FlaskClient) -> None:
    problem(set_up(client, "rys_guess"), 403, "wrong_setup_token")


def test_no_token_is_printed_once_there_is_an_administrator(ada: Person) -> None:
    with transaction() as session:
        assert issue_setup_token(session) is None


def test_of_two_at_once_one_becomes_administrator(client: FlaskClient) -> None:
    token, app = printed_token(), client.application
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda name: set_up(app.test_client(), token, name), ["ada", "eve"])
        assert sorted(answer.status_code for answer in answers) == [201, 409]


def test_a_short_password_is_refused(client: FlaskClient) -> None:
    answer = set_up(client, printed_token(), password="short")
    problem(answer, 422, "invalid", "/password")
