"""Making, changing and deleting experiments."""

from collections.abc import Mapping

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.clock import now
from domain.command import command
from domain.errors import Conflict
from domain.runs.activity import lock_active_runs
from models.experiments import Experiment
from models.projects import Project
from models.runs import Run


class ExperimentNameTaken(Conflict):
    code = "name_taken"


class ExperimentInUse(Conflict):
    code = "experiment_in_use"


@command(requires=Permission.EXPERIMENT_CREATE)
def create_experiment(
    session: Session,
    actor: Actor,
    project: Project,
    *,
    name: str,
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> Experiment:
    """Make an experiment in a project. :raises ExperimentNameTaken: the project has one."""
    experiment = Experiment(
        project_id=project.id,
        name=name,
        description=description,
        tags=dict(tags or {}),
        created_by_id=actor.user_id,
    )
    _save(session, experiment)
    return experiment


@command(requires=Permission.EXPERIMENT_UPDATE)
def update_experiment(
    session: Session,
    actor: Actor,
    experiment: Experiment,
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Experiment:
    """Change what is given. :raises ExperimentNameTaken: the project has one of this name."""
    experiment.name = name if name is not None else experiment.name
    experiment.description = description if description is not None else experiment.description
    experiment.tags = dict(tags) if tags is not None else experiment.tags
    experiment.version += 1
    _save(session, experiment)
    return experiment


@command(requires=Permission.EXPERIMENT_DELETE)
def delete_experiment(session: Session, actor: Actor, experiment: Experiment) -> None:
    """Take an experiment and its runs out of sight.

    :raises ExperimentInUse: runs of it are still active.
    """
    active = lock_active_runs(session, Run.experiment_id == experiment.id)
    if active:
        raise ExperimentInUse(f"{active} runs of this experiment are active; stop them first")
    experiment.deleted_at = now()
    session.execute(
        update(Run)
        .where(Run.experiment_id == experiment.id, Run.deleted_at.is_(None))
        .values(deleted_at=experiment.deleted_at)
    )


def _save(session: Session, experiment: Experiment) -> None:
    try:
        with session.begin_nested():
            session.add(experiment)
            session.flush()
    except IntegrityError:
        raise ExperimentNameTaken(
            "the project has an experiment with this name", pointer="/name"
        ) from None
