"""Whatever a client sends: a problem it can understand, never our fault."""

import json
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from models.experiments import Experiment
from models.projects import Project
from models.runs import Run
from tests.api.problems import problem
from tests.factories import HELLO
from tests.people import Person

JSON = "application/json"
MALFORMED = [
    b"{",
    b"}",
    b"{'name': 'x'}",
    b'{"name": "x",}',
    b'{"name": NaN}',
    b'{"name": Infinity}',
    b'{"name": 1e400}',
    b'{"name": "\xff\xfe"}',
    b'{"name": "a\x00b"}',
    b'{"name": "a\\u0000b"}',
    b'{"name": "\\ud800"}',
    b'{"name": "\\udc00\\ud800"}',
    b"\xef\xbb\xbf{}",
    b'{"name": "x"} trailing',
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b"[" * 5_000 + b"]" * 5_000,
    b"[" * 5_000,
    b'{"name": "x", "description": ' + b"[" * 200 + b"]" * 200 + b"}",
]
WRONG_SHAPE = [b"[]", b'"name"', b"7", b"true", b"null", b"", b"{}"]


def send(person: Person, raw: bytes, content_type: str = JSON, path: str = "/projects") -> Any:
    return person.call("POST", path, data=raw, content_type=content_type)


@pytest.mark.parametrize("raw", MALFORMED, ids=lambda raw: repr(raw[:20]))
def test_what_is_no_json_is_refused(alice: Person, raw: bytes) -> None:
    problem(send(alice, raw), 422, "malformed_json")


@pytest.mark.parametrize("raw", WRONG_SHAPE, ids=repr)
def test_json_of_another_shape_is_refused(alice: Person, raw: bytes) -> None:
    problem(send(alice, raw), 422, "invalid")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/html",
        "",
        "x",
    ],
)
def test_a_body_of_another_type_is_refused(alice: Person, content_type: str) -> None:
    problem(send(alice, b'{"name": "x"}', content_type), 415, "unsupported_media_type")


def test_a_body_beyond_the_limit_is_refused(alice: Person) -> None:
    raw = json.dumps({"name": "x", "description": "x" * 5 * 2**20}).encode()
    problem(send(alice, raw), 413)


def test_an_escaped_backslash_before_u0000_is_no_nul(bob: Person, experiment: Experiment) -> None:
    text = "print('\\u0000')"
    given = {"name": "r", "spec": {"script": {"text": text}}}
    answer = bob.post(f"/experiments/{experiment.id}/runs", given)
    assert answer.json["spec"]["script"]["text"] == text


def test_unknown_fields_are_named(alice: Person) -> None:
    answer = alice.post("/projects", {"name": "x", "colour": "red", "a/b~c": 1})
    problem(answer, 422, "invalid", "/colour")
    problem(answer, 422, "invalid", "/a~1b~0c")


def test_every_fault_is_told_at_once(ada: Person) -> None:
    answer = ada.post("/accounts", {"email": "x", "password": "y"})
    pointers = [fault["pointer"] for fault in problem(answer, 422, "invalid")["errors"]]
    assert sorted(pointers) == ["/email", "/name", "/password"]


@pytest.mark.parametrize("value", [None, [], {}, 7, True, 1e308, -(2**63), 2**64 - 1])
@pytest.mark.parametrize("field", ["name", "description"])
def test_texts_are_texts(alice: Person, field: str, value: object) -> None:
    answer = alice.post("/projects", {"name": "x", field: value})
    problem(answer, 422, "invalid", f"/{field}")


@pytest.mark.parametrize(
    "path",
    [
        "/runs/7",
        "/runs/none",
        "/runs/{id}/",
        "/runs/{id}x",
        "/runs/" + "0" * 31,
        "/runs/" + "g" * 32,
        "/runs/%00",
        "/runs/../me",
        "/runs/" + "9" * 5000,
        "/projects/%F0%9F%98%80",
        "/nothing",
    ],
    ids=lambda path: path[:20],
)
def test_an_address_that_names_nothing_is_refused(alice: Person, path: str) -> None:
    answer = alice.get(path.replace("{id}", str(uuid4())))
    problem(answer, 422 if "%00" in path else 404)


def test_an_unknown_method_is_told_the_known_ones(alice: Person) -> None:
    answer = alice.call("DELETE", "/me")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("query", ["colour=red", "limit=1", "_=1"])
def test_a_route_without_arguments_takes_none(alice: Person, run: Run, query: str) -> None:
    for path in ("/me", f"/runs/{run.id}", f"/runs/{run.id}/attempts"):
        answer = alice.get(f"{path}?{query}")
        problem(answer, 422, "invalid", f"#/query/{query.partition('=')[0]}")
    problem(alice.post(f"/projects?{query}", {"name": "x"}), 422, "invalid")


LISTS = [
    "/projects",
    "/projects/{project}/experiments",
    "/projects/{project}/runs",
    "/projects/{project}/intents",
    "/projects/{project}/sources",
    "/projects/{project}/exports",
    "/projects/{project}/events",
    "/experiments/{experiment}/runs",
    "/runs/{run}/events",
    "/runs/{run}/log",
    "/runs/{run}/artifacts",
    "/runs/{run}/metrics/history",
    "/api-keys",
]
ODD = [
    "limit=99999999999999999999999999",
    "limit=-1",
    "limit=",
    "limit=%00",
    "cursor=%00",
    "sort=%00",
    "colour=red",
    "after=99999999999999999999999999",
    "after=-1",
    "after=%F0",
    "key=%00",
    "name=%00",
    "path=%00",
    "%00=1",
]


@pytest.mark.parametrize("path", LISTS)
def test_odd_arguments_never_are_our_fault(alice: Person, run: Run, path: str) -> None:
    path = path.format(project=run.project_id, experiment=run.experiment_id, run=run.id)
    for query in ODD:
        problem(alice.get(f"{path}?{query}"), 422)


def test_a_place_far_beyond_the_end_is_no_fault_of_ours(alice: Person, run: Run) -> None:
    assert alice.get(f"/runs/{run.id}/log?after={2**31 - 2}").json == {"items": []}
    answer = alice.get(f"/runs/{run.id}/events?after={2**63 - 1}")
    problem(answer, 409, "events_forgotten")


@pytest.mark.parametrize(
    "name", ["é", "日本語", "🏃", "‮evil", "a\nb", "'; drop table runs; --", "<script>", "%s", "{}"]
)
def test_any_text_comes_back_as_it_was(bob: Person, experiment: Experiment, name: str) -> None:
    given = {"name": name, "spec": HELLO, "tags": {name: name}}
    made = bob.post(f"/experiments/{experiment.id}/runs", given).json
    assert (made["name"], made["tags"]) == (name, {name: name})
    found = bob.get(f"/experiments/{experiment.id}/runs", query_string={"name": name}).json
    assert [run["id"] for run in found["items"]] == [made["id"]]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("If-Match", "\xff"),
        ("If-Match", '"' * 4000),
        ("Range", "bytes=9-1"),
        ("Accept", "text/html"),
        ("X-Request-Id", "a b\tc"),
        ("Accept-Encoding", "\xff"),
        ("Cookie", "\xff=\xfe"),
    ],
)
def test_odd_headers_never_are_our_fault(
    alice: Person, project: Project, header: str, value: str
) -> None:
    headers = {"If-Match": '"1"', header: value}
    answer = alice.call("PATCH", f"/projects/{project.id}", json={"name": "x"}, headers=headers)
    assert answer.status_code in (200, 412)


def test_a_request_id_is_kept_when_it_is_harmless(client: FlaskClient) -> None:
    given = client.get("/livez", headers={"X-Request-Id": "abcdefgh-1"})
    assert given.headers["X-Request-Id"] == "abcdefgh-1"
    odd = client.get("/livez", headers={"X-Request-Id": "x" * 100})
    assert odd.headers["X-Request-Id"] != "x" * 100
