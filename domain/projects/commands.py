"""Making, changing and ending projects, and who belongs to them."""

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.accounts.sessions import tell_rights_changed
from domain.clock import now
from domain.command import command
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.runs.activity import lock_active_runs
from models.accounts import User
from models.projects import Membership, Project, ProjectRole
from models.runs import Run

LEADERS = frozenset({ProjectRole.MAINTAINER, ProjectRole.OWNER})


class ProjectNameTaken(Conflict):
    code = "name_taken"


class NoSuchPerson(Invalid):
    code = "no_such_person"


class LastOwner(Conflict):
    code = "last_owner"


class ProjectInUse(Conflict):
    code = "project_in_use"


@command(requires=Permission.PROJECT_CREATE)
def create_project(
    session: Session, actor: Actor, subject: None, *, name: str, description: str = ""
) -> Project:
    """Make a project; whoever makes it owns it. :raises ProjectNameTaken: choose another."""
    project = Project(name=name, description=description, created_by_id=actor.user_id)
    _save(session, project)
    session.add(Membership(project_id=project.id, user_id=actor.user_id, role=ProjectRole.OWNER))
    tell_rights_changed(session)
    return project


@command(requires=Permission.PROJECT_UPDATE)
def update_project(
    session: Session,
    actor: Actor,
    project: Project,
    *,
    name: str | None = None,
    description: str | None = None,
) -> Project:
    """Change what is given. :raises ProjectNameTaken: choose another."""
    project.name = name if name is not None else project.name
    project.description = description if description is not None else project.description
    project.version += 1
    _save(session, project)
    return project


@command(requires=Permission.PROJECT_DELETE)
def delete_project(session: Session, actor: Actor, project: Project) -> None:
    """Take a project out of sight. :raises ProjectInUse: runs of it are still active."""
    active = lock_active_runs(session, Run.project_id == project.id)
    if active:
        raise ProjectInUse(f"{active} runs of this project are still active; stop them first")
    project.deleted_at = now()
    tell_rights_changed(session)


@command(requires=Permission.MEMBER_MANAGE)
def set_member(
    session: Session, actor: Actor, project: Project, *, email: str, role: ProjectRole
) -> Membership:
    """Add a person or change their role.

    :raises NoSuchPerson: nobody has an account with this address.
    :raises Forbidden: only an owner makes or changes maintainers and owners.
    :raises LastOwner: a project keeps at least one owner.
    """
    user = _find_person(session, email)
    membership = _lock_membership(session, project, user)
    before = membership.role if membership else None
    _refuse_leaders(actor, project, before, role)
    _keep_an_owner(session, project, before, role)
    if membership is None:
        membership = Membership(project_id=project.id, user_id=user.id, role=role, user=user)
        session.add(membership)
    membership.role = role
    tell_rights_changed(session)
    session.flush()
    return membership


@command(requires=Permission.MEMBER_MANAGE)
def remove_member(session: Session, actor: Actor, project: Project, *, email: str) -> None:
    """Take a person's role away; it acts at once, on open sockets too.

    :raises NotFound: they are no member. :raises Forbidden: as for ``set_member``.
    :raises LastOwner: a project keeps at least one owner.
    """
    membership = _lock_membership(session, project, _find_person(session, email))
    if membership is None:
        raise NotFound("this person is not a member of the project")
    _refuse_leaders(actor, project, membership.role, None)
    _keep_an_owner(session, project, membership.role, None)
    session.delete(membership)
    tell_rights_changed(session)


def _find_person(session: Session, email: str) -> User:
    user = session.scalar(
        select(User).where(func.lower(User.email) == email.lower(), User.is_active)
    )
    if user is None:
        raise NoSuchPerson("there is no account with this e-mail address", pointer="/email")
    return user


def _save(session: Session, project: Project) -> None:
    try:
        with session.begin_nested():
            session.add(project)
            session.flush()
    except IntegrityError:
        raise ProjectNameTaken("there is a project with this name", pointer="/name") from None


def _lock_membership(session: Session, project: Project, user: User) -> Membership | None:
    """Lock the project first, so that two changes of its members come one after the other."""
    session.execute(select(Project.id).where(Project.id == project.id).with_for_update())
    return session.get(Membership, (project.id, user.id), options=[joinedload(Membership.user)])


def _refuse_leaders(
    actor: Actor, project: Project, before: ProjectRole | None, after: ProjectRole | None
) -> None:
    touches_leaders = before in LEADERS or after in LEADERS
    if touches_leaders and not actor.holds(Permission.MEMBER_MANAGE_LEADERS, project.id):
        raise Forbidden("only an owner of the project adds or changes maintainers and owners")


def _keep_an_owner(
    session: Session, project: Project, before: ProjectRole | None, after: ProjectRole | None
) -> None:
    if before is not ProjectRole.OWNER or after is ProjectRole.OWNER:
        return
    owners = session.scalar(
        select(func.count()).where(
            Membership.project_id == project.id, Membership.role == ProjectRole.OWNER
        )
    )
    if owners == 1:
        raise LastOwner("this is the last owner; make somebody else an owner first")
