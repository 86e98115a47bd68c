"""No way in without a declared permission.

Every route names the one command or query it performs, or says why it is open to all. The
application is sealed when it is built: a route that names nothing keeps it from starting.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import Flask

from domain.command import Declaration, declaration_of

View = TypeVar("View", bound=Callable[..., Any])


class Unsealed(Exception):
    """A route, a command or a query would be reachable, or not, without anybody having said so."""


@dataclass(frozen=True)
class Door:
    """What a route says of itself."""

    performs: Declaration | None
    open_because: str = ""

    @property
    def permission(self) -> str:
        return self.performs.requires if self.performs else "none"


def performs(function: Callable[..., Any]) -> Callable[[View], View]:
    """The route performs this command or query, and needs the permission it declares."""
    declaration = declaration_of(function)
    if declaration is None:
        raise Unsealed(f"{function.__name__} declares no permission")
    return _mark(Door(declaration))


def open_to_all(because: str) -> Callable[[View], View]:
    """The route needs no sign-in, for the reason given."""
    return _mark(Door(None, because))


def door_of(view: Callable[..., Any]) -> Door | None:
    return cast("Door | None", getattr(view, "__door__", None))


def _mark(door: Door) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.__door__ = door  # type: ignore[attr-defined]  # read by door_of
        return view

    return mark


def seal(app: Flask) -> dict[str, Door]:
    """Check every route and return what each declares, by endpoint.

    :raises Unsealed: a route declares nothing.
    """
    doors: dict[str, Door] = {}
    for rule in app.url_map.iter_rules():
        door = door_of(app.view_functions[rule.endpoint])
        if door is None:
            raise Unsealed(f"the route {rule.rule} ({rule.endpoint}) declares no permission")
        doors[rule.endpoint] = door
    app.extensions["runyard_doors"] = doors
    return doors


def doors(app: Flask) -> dict[str, Door]:
    """What the routes of a sealed application declare, by endpoint."""
    return cast("dict[str, Door]", app.extensions["runyard_doors"])


def unused(declared: Iterable[Declaration], apps: Iterable[Flask]) -> set[str]:
    """Commands and queries that no route of any application performs."""
    performed = {door.performs for app in apps for door in doors(app).values() if door.performs}
    return {declaration.name for declaration in declared if declaration not in performed}
