"""Experiments as tracking clients reach them: by number or by name, found or made.

For an attempt they all are the one experiment its run belongs to, whatever the script says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, ActorKind, visible
from domain.command import command, query
from domain.errors import NotFound
from domain.experiments.commands import ExperimentNameTaken, create_experiment
from domain.projects.choosing import choose_project
from domain.runs.binding import bound_experiment
from domain.runs.fence import refuse_if_deleted
from models.experiments import Experiment

DEFAULT_NUMBER = 0
DEFAULT_NAME = "Default"


@dataclass(frozen=True)
class NameIs:
    """One condition on an experiment's name: the same, or like a pattern with % and _."""

    text: str
    like: bool = False
    ignoring_case: bool = False
    negated: bool = False


@dataclass(frozen=True)
class FoundExperiments:
    """Some experiments, newest first, and whether there are more."""

    items: Sequence[Experiment]
    more: bool


@query(requires=Permission.EXPERIMENT_READ)
def find_by_number(
    session: Session, actor: Actor, number: int, *, project: str | None = None
) -> Experiment:
    """The experiment of this number, even a deleted one; 0 is the project's default one.

    :raises NotFound: there is none that the actor may see.
    """
    if bound := bound_experiment(session, actor):
        return bound
    if number == DEFAULT_NUMBER:
        return _default(session, actor, project)
    statement = select(Experiment).where(Experiment.number == number)
    experiment = session.scalar(_visible(statement, actor))
    if experiment is None:
        raise NotFound(f"there is no experiment with id {number}")
    return experiment


@query(requires=Permission.EXPERIMENT_READ)
def find_by_name(
    session: Session, actor: Actor, name: str, *, project: str | None = None
) -> Experiment:
    """:raises NotFound: the project has no experiment of this name that the actor may see."""
    if bound := bound_experiment(session, actor):
        return bound
    owner = choose_project(session, actor, project)
    statement = select(Experiment).where(
        Experiment.project_id == owner.id, Experiment.name == name, Experiment.deleted_at.is_(None)
    )
    experiment = session.scalar(_visible(statement, actor))
    if experiment is None:
        raise NotFound(f"the project {owner.name!r} has no experiment {name!r}")
    return experiment


def make_experiment(
    session: Session, actor: Actor, *, name: str, tags: Mapping[str, str], project: str | None
) -> Experiment:
    """Make an experiment in the project the client works in.

    :raises ExperimentNameTaken: the project has one. :raises Forbidden: the role is too low.
    """
    if bound := bound_experiment(session, actor):
        return bound
    owner = choose_project(session, actor, project)
    return create_experiment(session, actor, owner, name=name, tags=tags)


@command(requires=Permission.EXPERIMENT_UPDATE)
def set_tags(
    session: Session, actor: Actor, experiment: Experiment, *, tags: Mapping[str, str]
) -> None:
    """Add tags to those there are. :raises Deleted: the experiment is out of sight."""
    refuse_if_deleted(experiment)
    experiment.tags = {**experiment.tags, **tags}
    experiment.version += 1


def tag_experiment(
    session: Session, actor: Actor, number: int, *, tags: Mapping[str, str], project: str | None
) -> None:
    """Tag the experiment of this number.

    A script of ours means another one than it gets, so what it says is let pass without effect.

    :raises NotFound: there is none that the actor may see. :raises Deleted: it is out of sight.
    """
    if actor.kind is not ActorKind.RUN:
        experiment = find_by_number(session, actor, number, project=project)
        set_tags(session, actor, experiment, tags=tags)


def meant_by(
    session: Session, actor: Actor, numbers: Sequence[int], *, project: str | None
) -> Sequence[int]:
    """The numbers of the experiments that a client means by numbers, one of which is 0."""
    if bound := bound_experiment(session, actor):
        return [bound.number] if numbers else []
    if DEFAULT_NUMBER not in numbers:
        return numbers
    owner = choose_project(session, actor, project)
    default = select(Experiment.number).where(
        Experiment.project_id == owner.id,
        Experiment.name == DEFAULT_NAME,
        Experiment.deleted_at.is_(None),
    )
    return [*numbers, *session.scalars(default)]


@query(requires=Permission.EXPERIMENT_READ)
def search_experiments(
    session: Session,
    actor: Actor,
    *,
    names: Sequence[NameIs] = (),
    deleted: bool | None = False,
    project: str | None = None,
    limit: int,
    before: UUID | None = None,
) -> FoundExperiments:
    """Experiments the actor may see, in one project or in all of theirs."""
    statement = _visible(select(Experiment), actor).where(*map(_condition, names))
    if actor.kind is ActorKind.RUN:
        statement = statement.where(Experiment.id == actor.experiment_id)
    elif project:
        statement = statement.where(
            Experiment.project_id == choose_project(session, actor, project).id
        )
    if deleted is not None:
        gone = Experiment.deleted_at.is_not(None)
        statement = statement.where(gone if deleted else ~gone)
    if before is not None:
        statement = statement.where(Experiment.id < before)
    found = session.scalars(statement.order_by(Experiment.id.desc()).limit(limit + 1)).all()
    return FoundExperiments(found[:limit], len(found) > limit)


def _default(session: Session, actor: Actor, project: str | None) -> Experiment:
    """The project's default experiment, made when it is first needed."""
    try:
        return find_by_name(session, actor, DEFAULT_NAME, project=project)
    except NotFound:
        owner = choose_project(session, actor, project)
    try:
        return create_experiment(session, actor, owner, name=DEFAULT_NAME)
    except ExperimentNameTaken:
        return find_by_name(session, actor, DEFAULT_NAME, project=project)


def _visible(statement: Select[Experiment], actor: Actor) -> Select[Experiment]:
    return visible(statement, actor, Permission.EXPERIMENT_READ, Experiment.project_id)


def _condition(wanted: NameIs) -> ColumnElement[bool]:
    if not wanted.like:
        met = Experiment.name == wanted.text
    elif wanted.ignoring_case:
        met = Experiment.name.ilike(wanted.text)
    else:
        met = Experiment.name.like(wanted.text)
    return ~met if wanted.negated else met
