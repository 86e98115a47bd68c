"""How a command or query declares, once, the permission it needs.

The doors name the command or query they perform and refuse to open without one; the wrapper
put on here is what enforces it, so nobody can forget.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, authorize
from models.audit import AuditEntry

P = ParamSpec("P")
T = TypeVar("T")
Subject = TypeVar("Subject")


class Kind(StrEnum):
    COMMAND = "command"
    QUERY = "query"


@dataclass(frozen=True)
class Declaration:
    """What a function of the domain does and what it takes to be allowed to."""

    name: str
    kind: Kind
    requires: Permission


def declaration_of(function: Callable[..., Any]) -> Declaration | None:
    """The declaration a command or query carries."""
    return cast("Declaration | None", getattr(function, "__declaration__", None))


def command(
    *, requires: Permission, audited: bool = True
) -> Callable[
    [Callable[Concatenate[Session, Actor, Subject, P], T]],
    Callable[Concatenate[Session, Actor, Subject, P], T],
]:
    """Mark a function ``(session, actor, subject, …)`` that changes something.

    The subject is what the permission is asked for: an entity in a project, or None for the
    platform. What was done is written to the audit in the same transaction, unless the command
    says that it comes too often to be kept.
    """

    def declare(
        function: Callable[Concatenate[Session, Actor, Subject, P], T],
    ) -> Callable[Concatenate[Session, Actor, Subject, P], T]:
        declaration = Declaration(function.__name__, Kind.COMMAND, requires)

        @wraps(function)
        def perform(
            session: Session, actor: Actor, subject: Subject, *args: P.args, **kwargs: P.kwargs
        ) -> T:
            authorize(actor, requires, cast("Any", subject))
            made = function(session, actor, subject, *args, **kwargs)
            if audited:
                session.add(_entry(actor, declaration.name, subject))
            return made

        perform.__declaration__ = declaration  # type: ignore[attr-defined]  # read by declaration_of
        return cast("Callable[Concatenate[Session, Actor, Subject, P], T]", perform)

    return declare


def query(*, requires: Permission) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Mark a function that reads; it narrows what it reads by the same permission itself."""

    def declare(function: Callable[P, T]) -> Callable[P, T]:
        function.__declaration__ = Declaration(  # type: ignore[attr-defined]  # read by declaration_of
            function.__name__, Kind.QUERY, requires
        )
        return function

    return declare


def _entry(actor: Actor, action: str, subject: Any) -> AuditEntry:
    return AuditEntry(
        actor_id=actor.user_id,
        actor_kind=actor.kind,
        action=action,
        project_id=getattr(subject, "project_id", None),
        subject_id=getattr(subject, "id", None),
    )
