"""No way in without a declared permission, and nothing declared that leads nowhere."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from flask import Flask

import domain
from api import sealing
from api.app import create_live
from api.sealing import Unsealed, doors, open_to_all, performs, seal
from domain.command import Declaration, declaration_of
from settings import settings

OPEN_ON_THE_WEB = {
    "/api/v1/openapi.json",
    "/api/v1/setup",
    "/api/v1/sign-in",
    "/api/v1/sign-in/refresh",
    "/docs",
    "/docs/<path:name>",
    "/docs/start.js",
    "/livez",
    "/readyz",
    # MLflow's clients ask these before they sign in; the rest says that there is nothing.
    "/health",
    "/version",
    *(
        f"{prefix}/{rule}"
        for prefix in ("/api", "/ajax-api")
        for rule in (
            "3.0/mlflow/server-info",
            *(
                f"{family}/{rest}"
                for family in ("2.0/mlflow", "2.0/mlflow-artifacts", "3.0/mlflow")
                for rest in ("", "<path:rest>")
            ),
        )
    ),
}
# Queries that others with a door of their own begin with.
ONLY_ON_THE_WAY = {"locate_run"}
OPEN_ON_LIVE = {"/live", "/livez", "/readyz"}


@pytest.fixture
def live(app: Flask) -> Flask:
    return create_live(settings())


def open_routes(app: Flask) -> set[str]:
    declared = doors(app)
    return {
        rule.rule for rule in app.url_map.iter_rules() if declared[rule.endpoint].performs is None
    }


def declarations() -> Iterator[Declaration]:
    """What all commands and queries of the domain declare."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        for value in vars(importlib.import_module(module.name)).values():
            declaration = declaration_of(value) if callable(value) else None
            if declaration is not None:
                yield declaration


def test_every_route_of_both_applications_declares(app: Flask, live: Flask) -> None:
    for application in (app, live):
        endpoints = {rule.endpoint for rule in application.url_map.iter_rules()}
        assert doors(application).keys() == endpoints


def test_these_routes_and_no_others_are_open(app: Flask, live: Flask) -> None:
    assert open_routes(app) == OPEN_ON_THE_WEB
    assert open_routes(live) == OPEN_ON_LIVE


def test_every_open_route_says_why(app: Flask, live: Flask) -> None:
    for application in (app, live):
        for door in doors(application).values():
            assert (door.performs is None) == bool(door.open_because)


def test_an_application_with_a_stray_route_does_not_start() -> None:
    app = Flask("stray", static_folder=None)
    app.add_url_rule("/stray", view_func=lambda: "hello")
    with pytest.raises(Unsealed, match="/stray"):
        seal(app)


def test_a_static_folder_is_a_stray_route() -> None:
    with pytest.raises(Unsealed, match="static"):
        seal(Flask("stray", static_folder="."))


def test_a_route_cannot_perform_what_declares_nothing() -> None:
    def undeclared() -> None: ...

    with pytest.raises(Unsealed, match="undeclared"):
        performs(undeclared)


def test_a_sealed_route_is_known_by_its_declaration() -> None:
    app = Flask("sealed", static_folder=None)
    app.add_url_rule("/open", view_func=open_to_all("a test")(lambda: "hello"))
    assert seal(app)["<lambda>"].permission == "none"


def test_every_command_and_query_has_a_door(app: Flask, live: Flask) -> None:
    assert sealing.unused(set(declarations()), [app, live]) == ONLY_ON_THE_WAY
