"""A valid input for every operation of the API.

Reading needs no more than the ids of the path. Each other operation says what is to be made
before the stopwatch runs, and then what is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.world import World, archive

FEW = 10
VERY_FEW = 5


@dataclass(frozen=True)
class Request:
    """What is asked: ids that differ from the world's, a query, a body, headers."""

    body: Any = None
    query: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Visit:
    """How an operation is called, how often, and why it may be slow if it may."""

    prepare: Callable[[World], Request]
    calls: int = 30
    excuse: str = ""
    note: str = ""
    answers: range = range(200, 300)
    needs_person: bool = False


ANY_VERSION = {"If-Match": "*"}
HASHING = "hashes a password, which is slow on purpose"


def reading(query: str = "", note: str = "") -> Visit:
    return Visit(lambda world: Request(query=query), note=note)


def deep_page(path: str) -> Visit:
    def prepare(world: World) -> Request:
        cursor = cursors.setdefault(path, world.cursor(path.format(**world.ids), 30))
        return Request(query=f"limit=200&cursor={cursor}")

    cursors: dict[str, str] = {}
    return Visit(prepare, note="200 after 6,000")


def _started(world: World) -> Request:
    run = world.draft()
    world.started.append(run)
    return Request({}, ids={"run_id": run})


def _member(world: World) -> Request:
    email = world.account()["email"]
    path = f"/projects/{world.ids['project_id']}/members"
    world.connection.ask("PUT", path, {"email": email, "role": "viewer"})
    return Request(query=f"email={email}")


def _key(world: World) -> Request:
    key = world.make("/api-keys", {"name": "bench"})["key"]
    return Request(ids={"key_id": key["id"]})


def _account(world: World) -> Request:
    email = world.name("bench").replace(" ", "-") + "@example.com"
    return Request({"email": email, "name": "Bench", "password": "a long pass phrase"})


def _setup(world: World) -> Request:
    someone = {"email": "nobody@example.com", "name": "Nobody", "password": "a long pass phrase"}
    return Request({"token": "rys_none", **someone})


def _sign_out(world: World) -> Request:
    return Request({}, headers={"Authorization": f"Bearer {world.session()['access_token']}"})


def _draft_body(world: World) -> Request:
    spec = {"script": {"text": "pass\n"}, "parameters": {"lr": 0.1}}
    return Request({"name": world.name("run"), "spec": spec})


RUNS_OF_PROJECT = "/projects/{project_id}/runs"
RUNS_OF_EXPERIMENT = "/experiments/{experiment_id}/runs"
# Beside the plain call of every GET.
MORE_READING = {
    RUNS_OF_PROJECT: [
        reading("limit=200", "200 rows"),
        reading("sort=name", "by name"),
        reading("sort=-updated_at", "by change"),
        reading("state=failed", "one state"),
        reading("name=%23777", "part of a name"),
        deep_page(RUNS_OF_PROJECT),
    ],
    RUNS_OF_EXPERIMENT: [reading("sort=state", "by state"), reading("name=%23777", "by name")],
}
REQUIRED_QUERY = {"/runs/{run_id}/metrics/history": "key=loss"}

WRITING: dict[str, Visit] = {
    "POST /setup": Visit(_setup, answers=range(409, 410), note="refused: it is set up"),
    "POST /sign-in": Visit(lambda world: Request(world.colleague), FEW, HASHING, needs_person=True),
    "POST /sign-in/refresh": Visit(
        lambda world: Request({"refresh_token": world.session()["refresh_token"]}),
        FEW,
        needs_person=True,
    ),
    "POST /sign-out": Visit(_sign_out, FEW, needs_person=True),
    "POST /accounts": Visit(_account, VERY_FEW, HASHING, needs_person=True),
    "POST /api-keys": Visit(lambda world: Request({"name": "bench"}), needs_person=True),
    "DELETE /api-keys/{key_id}": Visit(_key, needs_person=True),
    "POST /projects": Visit(lambda world: Request({"name": world.name("Bench")})),
    "PATCH /projects/{project_id}": Visit(
        lambda world: Request(
            {"description": "changed"}, ids={"project_id": world.project()}, headers=ANY_VERSION
        )
    ),
    "DELETE /projects/{project_id}": Visit(
        lambda world: Request(ids={"project_id": world.project()})
    ),
    "PUT /projects/{project_id}/members": Visit(
        lambda world: Request({"email": world.account()["email"], "role": "viewer"}),
        FEW,
        needs_person=True,
    ),
    "DELETE /projects/{project_id}/members": Visit(_member, FEW, needs_person=True),
    "POST /projects/{project_id}/experiments": Visit(
        lambda world: Request({"name": world.name("question")})
    ),
    "PATCH /experiments/{experiment_id}": Visit(
        lambda world: Request(
            {"tags": {"team": "x"}}, ids={"experiment_id": world.experiment()}, headers=ANY_VERSION
        )
    ),
    "DELETE /experiments/{experiment_id}": Visit(
        lambda world: Request(ids={"experiment_id": world.experiment()})
    ),
    "POST /projects/{project_id}/sources": Visit(lambda world: Request(archive())),
    "DELETE /sources/{source_id}": Visit(lambda world: Request(ids={"source_id": world.source()})),
    "POST /experiments/{experiment_id}/runs": Visit(_draft_body),
    "PATCH /runs/{run_id}": Visit(
        lambda world: Request(
            {"name": "renamed"}, ids={"run_id": world.draft()}, headers=ANY_VERSION
        )
    ),
    "DELETE /runs/{run_id}": Visit(lambda world: Request(ids={"run_id": world.draft()})),
    "POST /runs/{run_id}/start": Visit(_started, FEW),
    "POST /runs/{run_id}/stop": Visit(lambda world: Request({}, ids={"run_id": world.draft()})),
    "POST /runs/{run_id}/clone": Visit(
        lambda world: Request({"change": {"parameters": {"lr": 0.3}}}), FEW
    ),
    "POST /runs/{run_id}/export": Visit(lambda world: Request({}), FEW),
    "POST /live/tickets": Visit(lambda world: Request({})),
}


def visits_to(operation: str) -> list[Visit]:
    """How an operation, such as ``GET /runs/{run_id}``, is to be called; nothing is unknown."""
    method, _, path = operation.partition(" ")
    if method == "GET":
        return [reading(REQUIRED_QUERY.get(path, "")), *MORE_READING.get(path, [])]
    return [WRITING[operation]] if operation in WRITING else []
