"""Who may store and remove a run's artifacts; the files themselves go past the database."""

from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor
from domain.command import command
from domain.runs.artifacts import folder_of
from domain.runs.fence import hold_attempt, refuse_if_deleted
from models.runs import Run


@command(requires=Permission.ARTIFACT_WRITE, audited=False)
def admit_artifact(session: Session, actor: Actor, run: Run, *, path: str) -> str:
    """Where in the store an artifact of this path is to be put.

    :raises Deleted: the run is out of sight. :raises KeyRefused: the attempt is over.
    """
    return _place(session, actor, run, path)


@command(requires=Permission.ARTIFACT_WRITE)
def remove_artifact(session: Session, actor: Actor, run: Run, *, path: str) -> str:
    """Where in the store the artifact or folder lies that is to be removed.

    :raises Deleted: the run is out of sight. :raises KeyRefused: the attempt is over.
    """
    return _place(session, actor, run, path)


def _place(session: Session, actor: Actor, run: Run, path: str) -> str:
    hold_attempt(session, actor)
    refuse_if_deleted(run)
    return f"{folder_of(run)}/{path}" if path else folder_of(run)
