"""Every native route, called by everybody: an independent copy of who may do what."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from adapters.artifacts_local import LocalArtifacts
from domain.accounts.api_keys import issue_api_key
from domain.intents import commands as intents
from domain.jobs import Job
from domain.runs.artifacts import folder_of
from models.exports import Export
from models.projects import Membership, Project, ProjectRole
from models.runs import Run, Source
from models.session import transaction
from settings import settings
from tests.factories import HELLO, begin_attempt, make_experiment, make_project, make_run
from tests.people import PASSWORD, Person

WHO = (
    *("anonymous", "stranger", "viewer", "editor", "maintainer", "owner"),
    *("admin", "run token", "API key"),
)
# One letter for each of WHO: + may, 1 is not known (401), 3 may not (403), 4 finds nothing (404).
# The API key is an owner's; the run token is that of an attempt at the very run.
EVERYBODY = "+++++++++"
#                                                       a s v e m o A r k
EXPECTED = {
    "GET /me":                                          "1++++++3+",
    "GET /accounts":                                    "133333+33",
    "POST /accounts":                                   "133333+33",
    "GET /api-keys":                                    "1++++++33",
    "POST /api-keys":                                   "1++++++33",
    "DELETE /api-keys/{key}":                           "1++++++33",
    "POST /sign-out":                                   "1++++++33",
    "POST /live/tickets":                               "1++++++3+",
    "POST /setup":                                      EVERYBODY,
    "POST /sign-in":                                    EVERYBODY,
    "POST /sign-in/refresh":                            EVERYBODY,
    "GET /projects":                                    "1++++++++",
    "POST /projects":                                   "1++++++3+",
    "GET /projects/{project}":                          "14+++++4+",
    "PATCH /projects/{project}":                        "1433+++4+",
    "DELETE /projects/{project}":                       "14333++4+",
    "GET /projects/{project}/members":                  "14+++++4+",
    "PUT /projects/{project}/members":                  "1433+++43",
    "DELETE /projects/{project}/members":               "1433+++43",
    "GET /projects/{project}/experiments":              "14+++++4+",
    "POST /projects/{project}/experiments":             "143++++4+",
    "GET /experiments/{experiment}":                    "14+++++++",
    "PATCH /experiments/{experiment}":                  "143++++3+",
    "DELETE /experiments/{experiment}":                 "1433+++3+",
    "GET /projects/{project}/sources":                  "14+++++4+",
    "POST /projects/{project}/sources":                 "143++++4+",
    "GET /sources/{source}":                            "14+++++4+",
    "DELETE /sources/{source}":                         "1433+++4+",
    "GET /projects/{project}/runs":                     "14+++++4+",
    "GET /experiments/{experiment}/runs":               "14+++++++",
    "POST /experiments/{experiment}/runs":              "143++++3+",
    "GET /runs/{run}":                                  "14+++++++",
    "PATCH /runs/{run}":                                "143++++3+",
    "DELETE /runs/{run}":                               "143++++3+",
    "GET /runs/{run}/attempts":                         "14+++++++",
    "GET /runs/{run}/transitions":                      "14+++++++",
    "POST /runs/{run}/start":                           "143++++3+",
    "POST /runs/{run}/stop":                            "143++++3+",
    "POST /runs/{run}/clone":                           "143++++3+",
    "POST /runs/{run}/export":                          "14+++++3+",
    "GET /projects/{project}/intents":                  "14+++++4+",
    "GET /intents/{intent}":                            "14+++++4+",
    "GET /runs/{run}/log":                              "14+++++3+",
    "GET /runs/{run}/metrics":                          "14+++++++",
    "GET /runs/{run}/metrics/history":                  "14+++++++",
    "GET /runs/{run}/artifacts":                        "14+++++++",
    "GET /runs/{run}/artifacts/notes.txt":              "14+++++++",
    "GET /projects/{project}/exports":                  "14+++++4+",
    "GET /exports/{export}":                            "14+++++4+",
    "GET /exports/{export}/download":                   "14+++++4+",
    "GET /projects/{project}/events":                   "14+++++4+",
    "GET /runs/{run}/events":                           "14+++++3+",
}  # fmt: skip
QUERIES = {
    "DELETE /projects/{project}/members": "?email=victor@example.com",
    "GET /runs/{run}/metrics/history": "?key=loss",
}
STATUSES = {"1": 401, "3": 403, "4": 404}


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as content:
        content.writestr("train.py", "print()")
    return written.getvalue()


BODIES: dict[str, Callable[[], Any]] = {
    "POST /accounts": lambda: {
        "email": f"{uuid4()}@example.com",
        "name": "N",
        "password": PASSWORD,
    },
    "POST /api-keys": lambda: {"name": "key"},
    "POST /setup": lambda: {},
    "POST /sign-in": lambda: {},
    "POST /sign-in/refresh": lambda: {},
    "POST /projects": lambda: {"name": str(uuid4())},
    "PATCH /projects/{project}": lambda: {"description": "new"},
    "PUT /projects/{project}/members": lambda: {"email": "victor@example.com", "role": "viewer"},
    "POST /projects/{project}/experiments": lambda: {"name": "new"},
    "PATCH /experiments/{experiment}": lambda: {"description": "new"},
    "POST /experiments/{experiment}/runs": lambda: {"name": "new", "spec": HELLO},
    "PATCH /runs/{run}": lambda: {"description": "new"},
}


@dataclass
class World:
    """A project with one of everything in it, and a credential for each of WHO."""

    ids: dict[str, str]
    credentials: dict[str, str]


@pytest.fixture
def people(
    client: FlaskClient, alice: Person, bob: Person, victor: Person, charlie: Person, ada: Person
) -> dict[str, Person]:
    from tests.people import sign_in_as

    return {
        "owner": alice,
        "editor": bob,
        "viewer": victor,
        "stranger": charlie,
        "admin": ada,
        "maintainer": sign_in_as(client, "Mia"),
    }


def make_world(people: dict[str, Person], caller: str) -> World:
    owner = people["owner"]
    roles = {role: (people[role], ProjectRole(role)) for role in ("viewer", "editor", "maintainer")}
    project = make_project(owner, str(uuid4()), **roles)
    experiment = make_experiment(owner, project)
    held = make_run(owner, experiment, "held")
    run = make_run(owner, experiment)
    token = begin_attempt(owner, held).token
    if caller == "run token":
        run = held
    with transaction() as session:
        own = people.get(caller, owner).user_id
        own_key = issue_api_key(session, own, name="own", seconds=60).key.id
        key = issue_api_key(session, owner.user_id, name="key", seconds=60).token
        source = _add_source(session, project, owner)
        intent = intents.file_for(session, owner.user_id, Job.RUN_EXPORT, run)
        export = _add_export(session, run, intent.id)
        session.flush()
        ids = {"source": source.id, "intent": intent.id, "export": export.id}
    _store(f"{folder_of(run)}/notes.txt")
    _store(export.path)
    ids |= {"project": project.id, "experiment": experiment.id, "run": run.id, "key": own_key}
    credentials = {role: person.token for role, person in people.items()}
    return World(
        {name: str(value) for name, value in ids.items()},
        credentials | {"run token": token, "API key": key},
    )


def _add_source(session: Any, project: Project, owner: Person) -> Source:
    source = Source(
        project_id=project.id,
        name="code",
        kind="zip",
        size=1,
        sha256="0" * 64,
        files=[],
        created_by_id=owner.user_id,
    )
    session.add(source)
    return source


def _add_export(session: Any, run: Run, intent_id: Any) -> Export:
    export = Export(
        project_id=run.project_id,
        run_id=run.id,
        intent_id=intent_id,
        path=f"exports/{intent_id}.zip",
        name="run.zip",
        size=1,
        sha256="0" * 64,
    )
    session.add(export)
    return export


def _store(path: str) -> None:
    LocalArtifacts(settings().artifacts_path).put(path, io.BytesIO(b"x"), limit=1)


def call(client: FlaskClient, world: World, route: str, caller: str) -> int:
    method, _, path = route.partition(" ")
    headers = {"If-Match": "*"}
    if caller != "anonymous":
        headers["Authorization"] = f"Bearer {world.credentials[caller]}"
    body: dict[str, Any] = {"json": BODIES[route]()} if route in BODIES else {}
    if route == "POST /projects/{project}/sources":
        body = {"data": archive()}
    address = "/api/v1" + path.format(**world.ids) + QUERIES.get(route, "")
    answer = client.open(address, method=method, headers=headers, **body)
    assert answer.status_code < 500, answer.data
    return answer.status_code


def test_the_matrix_holds_every_native_route(app: Flask) -> None:
    names = ("project", "experiment", "run", "source", "intent", "export", "key")
    routes = set()
    for rule in app.url_map.iter_rules():
        path = rule.rule.removeprefix("/api/v1").replace("<path:path>", "notes.txt")
        for name in names:
            path = path.replace(f"<uuid:{name}_id>", f"{{{name}}}")
        if rule.rule.startswith("/api/v1/") and path != "/openapi.json":
            routes |= {f"{method} {path}" for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert routes == EXPECTED.keys()


@pytest.mark.parametrize("route", EXPECTED)
def test_everybody_gets_what_their_role_allows(
    client: FlaskClient, people: dict[str, Person], route: str
) -> None:
    got = {}
    for caller, letter in zip(WHO, EXPECTED[route], strict=True):
        status = call(client, make_world(people, caller), route, caller)
        is_right = status == STATUSES[letter] if letter in STATUSES else _is_let_in(route, status)
        if not is_right:
            got[caller] = status
        if route == "POST /sign-out" and status == 204:
            _sign_in_again(people[caller])
    assert got == {}, f"{route}: expected {dict(zip(WHO, EXPECTED[route], strict=True))}"


def _is_let_in(route: str, status: int) -> bool:
    if EXPECTED[route] == EVERYBODY:
        return status == 422
    return status not in (401, 403, 404, 405, 422)


def _sign_in_again(person: Person) -> None:
    from sqlalchemy import update

    from models.accounts import UserSession

    with transaction() as session:
        session.execute(
            update(UserSession).where(UserSession.id == person.session_id).values(ended_at=None)
        )


def test_a_run_token_reaches_its_own_run_only(
    client: FlaskClient, people: dict[str, Person]
) -> None:
    owner = people["owner"]
    project = make_project(owner, "own")
    own, other = make_experiment(owner, project, "own"), make_experiment(owner, project, "other")
    held, sibling = make_run(owner, own), make_run(owner, own)
    headers = {"Authorization": f"Bearer {begin_attempt(owner, held).token}"}

    def status(path: str) -> int:
        return client.get(f"/api/v1{path}", headers=headers).status_code

    assert status(f"/runs/{held.id}") == 200
    for run in (sibling, make_run(owner, other)):
        for path in ("", "/metrics", "/artifacts", "/attempts", "/transitions"):
            assert status(f"/runs/{run.id}{path}") == 404
    assert status(f"/experiments/{other.id}") == 404
    assert status(f"/experiments/{other.id}/runs") == 404
    listed = client.get(f"/api/v1/experiments/{own.id}/runs", headers=headers).json["items"]
    assert [run["id"] for run in listed] == [str(held.id)]


@pytest.mark.parametrize("role", ["viewer", "editor", "maintainer"])
def test_a_right_taken_away_is_gone_at_once(people: dict[str, Person], role: str) -> None:
    person = people[role]
    project = make_project(people["owner"], "p", one=(person, ProjectRole(role)))
    assert person.get(f"/projects/{project.id}").status_code == 200
    with transaction() as session:
        session.delete(session.get_one(Membership, (project.id, person.user_id)))
    assert person.get(f"/projects/{project.id}").status_code == 404
