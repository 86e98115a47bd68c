"""The one policy: who is acting, may they, and what do they see.

Two refusals, kept apart on purpose: what an actor may not *see* is not found, what they see
but may not *change* is forbidden.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVarTuple
from uuid import UUID

from sqlalchemy import Select, exists, false
from sqlalchemy.orm import aliased

from domain.access.permissions import Permission
from domain.access.roles import (
    ADMINS_ONLY,
    BY_RUN_TOKEN,
    EVERYONE_SIGNED_IN,
    IN_PROJECT,
    NOT_BY_KEY,
)
from domain.errors import Forbidden, NotFound
from models.accounts import PlatformRole
from models.projects import Project, ProjectRole


class ActorKind(StrEnum):
    USER = "user"
    KEY = "key"
    RUN = "run"


class InProject(Protocol):
    """Anything that belongs to a project."""

    @property
    def id(self) -> UUID: ...
    @property
    def project_id(self) -> UUID: ...


@dataclass(frozen=True)
class Actor:
    """Who acts: a signed-in person, a person's key, or an attempt of a run.

    ``user_id`` is always the person answerable: for a run, the one who created it.
    """

    kind: ActorKind
    user_id: UUID
    role: PlatformRole = PlatformRole.USER
    projects: Mapping[UUID, ProjectRole] = field(default_factory=dict)
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    attempt_id: UUID | None = None
    run_id: UUID | None = None
    experiment_id: UUID | None = None

    @property
    def is_admin(self) -> bool:
        return self.role is PlatformRole.ADMIN

    def role_in(self, project_id: UUID) -> ProjectRole | None:
        """The role in a project; an administrator counts as an owner everywhere."""
        if self.is_admin:
            return ProjectRole.OWNER
        return self.projects.get(project_id)

    def holds(self, permission: Permission, project_id: UUID) -> bool:
        role = self.role_in(project_id)
        return role is not None and permission in IN_PROJECT[role] and self.may_carry(permission)

    def may_carry(self, permission: Permission) -> bool:
        """Whether the kind of credential can carry this permission at all."""
        if self.kind is ActorKind.RUN:
            return permission in BY_RUN_TOKEN
        return self.kind is not ActorKind.KEY or permission not in NOT_BY_KEY


def authorize(actor: Actor, permission: Permission, subject: InProject | None = None) -> None:
    """Let the actor pass or say why not; no subject means the platform itself.

    :raises NotFound: the subject lies in a project the actor does not belong to.
    :raises Forbidden: the actor's role or kind of credential does not allow it.
    """
    if subject is None:
        return _authorize_on_platform(actor, permission)
    if actor.role_in(subject.project_id) is None or not _within_run(actor, subject):
        raise NotFound(f"there is no {_noun(subject)} with id {subject.id}")
    if not actor.holds(permission, subject.project_id):
        raise Forbidden(f"this needs the permission {permission}, which your role does not hold")


def _authorize_on_platform(actor: Actor, permission: Permission) -> None:
    allowed = permission in EVERYONE_SIGNED_IN or (actor.is_admin and permission in ADMINS_ONLY)
    if not allowed or not actor.may_carry(permission):
        raise Forbidden(f"this needs the permission {permission}, which you do not hold")


def _within_run(actor: Actor, subject: InProject) -> bool:
    """An attempt's token reaches its own run, the runs nested in it, and its experiment."""
    if actor.kind is not ActorKind.RUN:
        return True
    reachable = {subject.id, getattr(subject, "parent_id", None)}
    return bool(reachable & {actor.run_id, actor.experiment_id})


def _noun(subject: InProject) -> str:
    return type(subject).__name__.lower()


Ts = TypeVarTuple("Ts")


def visible(
    statement: Select[*Ts], actor: Actor, permission: Permission, project_column: Any
) -> Select[*Ts]:
    """Narrow a statement to the projects in which the actor holds the permission."""
    if actor.is_admin and actor.may_carry(permission):
        kept = aliased(Project)
        return statement.where(exists().where(kept.id == project_column, kept.deleted_at.is_(None)))
    projects = [project for project in actor.projects if actor.holds(permission, project)]
    if not projects:
        return statement.where(false())
    return statement.where(project_column.in_(projects))
