"""What tracking clients do: open a run that they carry out themselves, and say how it ended."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, ActorKind
from domain.command import command
from domain.runs.binding import Opening, adopt, parent_within
from domain.runs.fence import hold_attempt, refuse_if_deleted
from domain.runs.lifecycle import announce_run, follow_client
from domain.runs.located import find_run_even_deleted
from models.experiments import Experiment
from models.runs import Run, RunOrigin, RunState


@command(requires=Permission.RUN_CREATE)
def open_run(session: Session, actor: Actor, experiment: Experiment, opening: Opening) -> Run:
    """Record a run that a client carries out; from a script of ours, first of all its own run.

    :raises NotFound: the run around it is none that the actor may see.
    :raises Deleted: the experiment is out of sight. :raises KeyRefused: the attempt is over.
    """
    refuse_if_deleted(experiment)
    if actor.kind is ActorKind.RUN and (own := adopt(session, actor, opening)):
        announce_run(session, own, "adopted")
        return own
    run = Run(
        project_id=experiment.project_id,
        experiment_id=experiment.id,
        parent_id=_parent(session, actor, opening.parent_id),
        created_by_id=actor.user_id,
        name=opening.name,
        origin=RunOrigin.RECORDED,
        state=RunState.DRAFT,
        tags=dict(opening.tags),
        started_at=opening.started_at,
    )
    session.add(run)
    session.flush()
    follow_client(session, run, RunState.RUNNING)
    return run


@command(requires=Permission.RUN_LOG, audited=False)
def follow_run(
    session: Session,
    actor: Actor,
    run: Run,
    *,
    state: RunState | None = None,
    ended_at: datetime | None = None,
    name: str | None = None,
) -> Run:
    """Take a client's word on its own run, which the caller has locked.

    The state and name of a run that Runyard carries out stay as they are: it watches the
    process itself, and people have named the run.

    :raises Deleted: it is out of sight. :raises KeyRefused: the attempt is over.
    """
    hold_attempt(session, actor)
    refuse_if_deleted(run)
    if run.origin is not RunOrigin.RECORDED:
        return run
    if name is not None and name != run.name:
        run.name = name
        run.version += 1
        announce_run(session, run, "renamed")
    if state is not None:
        follow_client(session, run, state)
    if run.is_over:
        run.ended_at = ended_at or run.ended_at
    return run


@command(requires=Permission.RUN_DELETE)
def restore_run(session: Session, actor: Actor, run: Run) -> None:
    """Bring a deleted run back into sight."""
    if run.deleted_at is not None:
        run.deleted_at = None
        announce_run(session, run, "restored")


def _parent(session: Session, actor: Actor, wanted: UUID | None) -> UUID | None:
    parent_id = parent_within(session, actor, wanted)
    return find_run_even_deleted(session, actor, parent_id).id if parent_id else None
