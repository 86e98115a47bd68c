"""What people may ask of runs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from domain.access.permissions import Permission
from domain.access.policy import Actor, ActorKind
from domain.clock import in_seconds, now
from domain.command import command
from domain.errors import Conflict, Forbidden, Invalid
from domain.intents import commands as intents
from domain.jobs import Job
from domain.runs.ending import finish_run
from domain.runs.lifecycle import RunCannotMove, announce_run, move
from domain.runs.names import ADOPTED_TAG
from domain.runs.spec import changed, difference, read_change, read_spec, stored
from models.experiments import Experiment
from models.intents import Intent
from models.runs import Desire, Run, RunOrigin, RunState, Source
from settings import settings

# One queue for now; the name is checked so that a typing error does not wait for ever.
QUEUES = ("default",)
WAITING = frozenset({RunState.DRAFT, RunState.SCHEDULED, RunState.QUEUED, RunState.RETRY_WAIT})
WAKE_RUNNER = "runyard_runner"


class UnknownQueue(Invalid):
    code = "unknown_queue"


class UnknownSource(Invalid):
    code = "unknown_source"


class RunIsOver(Conflict):
    code = "run_is_over"


class RunIsActive(Conflict):
    code = "run_is_active"


@command(requires=Permission.RUN_CREATE)
def create_run(
    session: Session,
    actor: Actor,
    experiment: Experiment,
    *,
    name: str,
    spec: Mapping[str, Any],
    description: str = "",
    queue: str = "default",
    tags: Mapping[str, str] | None = None,
) -> Run:
    """Write down a run as a draft; nothing is executed before it is started.

    :raises SpecRefused: the spec makes no sense.
    :raises UnknownSource: the source is not one of the project's.
    :raises UnknownQueue: there is no such queue.
    :raises Forbidden: a training process asks, whose token reaches its own run alone.
    """
    if actor.kind is ActorKind.RUN:
        raise Forbidden("a training process records runs through MLflow; it cannot plan new ones")
    checked = read_spec(spec)
    _refuse_unknown(session, experiment, checked.source_id, queue)
    run = Run(
        project_id=experiment.project_id,
        experiment_id=experiment.id,
        created_by_id=actor.user_id,
        name=name,
        description=description,
        spec=stored(checked),
        source_id=checked.source_id,
        queue=queue,
        tags=dict(tags or {}),
    )
    session.add(run)
    session.flush()
    announce_run(session, run, "created")
    return run


@command(requires=Permission.RUN_UPDATE)
def update_run(
    session: Session,
    actor: Actor,
    run: Run,
    *,
    name: str | None = None,
    description: str | None = None,
    tags: Mapping[str, str] | None = None,
    spec: Mapping[str, Any] | None = None,
) -> Run:
    """Change what is given; the spec only while the run is a draft.

    :raises RunCannotMove: the spec of a run that was started is history.
    """
    if spec is not None:
        if run.state is not RunState.DRAFT or run.origin is not RunOrigin.MANAGED:
            raise RunCannotMove("only a draft's spec can be changed; clone the run instead")
        checked = read_spec(spec)
        _refuse_unknown(session, run, checked.source_id, run.queue)
        run.spec, run.source_id = stored(checked), checked.source_id
    run.name = name if name is not None else run.name
    run.description = description if description is not None else run.description
    run.tags = {**tags, **_own_tags(run)} if tags is not None else run.tags
    run.version += 1
    announce_run(session, run, "updated")
    return run


@command(requires=Permission.RUN_DELETE)
def delete_run(session: Session, actor: Actor, run: Run) -> None:
    """Take a run out of sight. :raises RunIsActive: stop it first."""
    if not run.is_over and run.state is not RunState.DRAFT and run.origin is RunOrigin.MANAGED:
        raise RunIsActive(f"this run is {run.state}; stop it before deleting it")
    run.deleted_at = now()
    announce_run(session, run, "deleted")


@command(requires=Permission.RUN_START)
def start_run(session: Session, actor: Actor, run: Run, *, key: str | None = None) -> Intent:
    """Queue a run to be started and return the intent to follow.

    :raises RunCannotMove: the run is already under way, over, or was only recorded.
    """
    if repeat := intents.find_repeat(session, actor, key, Job.RUN_START, run, {}):
        return repeat
    if run.origin is RunOrigin.RECORDED:
        raise RunCannotMove("this run was recorded by a client and has nothing to execute")
    if run.is_over:
        raise RunCannotMove(f"this run has {run.state} already; clone it to run it again")
    if run.state is not RunState.DRAFT:
        raise RunCannotMove(f"this run is {run.state} already")
    move(session, run, RunState.QUEUED)
    return intents.file(session, actor, Job.RUN_START, run, key=key)


@command(requires=Permission.RUN_STOP)
def stop_run(
    session: Session,
    actor: Actor,
    run: Run,
    *,
    grace_seconds: float | None = None,
    key: str | None = None,
) -> Intent:
    """Ask a run to stop: TERM, then KILL after the grace. A second stop can only shorten it.

    :raises RunIsOver: there is nothing left to stop.
    """
    arguments = {"grace_seconds": grace_seconds}
    if repeat := intents.find_repeat(session, actor, key, Job.RUN_STOP, run, arguments):
        return repeat
    if run.is_over:
        raise RunIsOver(f"this run has {run.state} already")
    if run.origin is RunOrigin.RECORDED:
        raise RunCannotMove("this run is carried out elsewhere; Runyard only records it")
    intent = intents.file(session, actor, Job.RUN_STOP, run, key=key, arguments=arguments)
    request_stop(session, run, reason="user", grace_seconds=grace_seconds)
    return intent


@command(requires=Permission.RUN_CLONE)
def clone_run(
    session: Session,
    actor: Actor,
    run: Run,
    *,
    name: str | None = None,
    change: Mapping[str, Any] | None = None,
    start: bool = False,
    key: str | None = None,
) -> Intent:
    """Ask for a copy of a run with some of its spec changed; the intent's result names it.

    What will differ stands in the intent's result from the beginning.

    :raises SpecRefused: the changed spec makes no sense.
    :raises RunCannotMove: the run was only recorded, so there is no spec to copy.
    """
    arguments = {"name": name, "change": dict(change or {}), "start": start}
    if repeat := intents.find_repeat(session, actor, key, Job.RUN_CLONE, run, arguments):
        return repeat
    if run.origin is RunOrigin.RECORDED:
        raise RunCannotMove("this run was recorded by a client and has no spec to clone")
    before = read_spec(run.spec)
    after = changed(before, read_change(change or {}))
    _refuse_unknown(session, run, after.source_id, run.queue)
    intent = intents.file(
        session,
        actor,
        Job.RUN_CLONE,
        run,
        key=key,
        arguments=arguments,
        result={"difference": difference(before, after)},
    )
    # Worked out, not asked for: a repeat of the request is known by what was asked.
    intent.arguments = {**intent.arguments, "spec": stored(after)}
    return intent


@command(requires=Permission.RUN_EXPORT)
def export_run(session: Session, actor: Actor, run: Run, *, key: str | None = None) -> Intent:
    """Ask for a portable bundle of a run; the intent's result names the export."""
    if repeat := intents.find_repeat(session, actor, key, Job.RUN_EXPORT, run, {}):
        return repeat
    return intents.file(session, actor, Job.RUN_EXPORT, run, key=key)


def request_stop(
    session: Session, run: Run, *, reason: str, grace_seconds: float | None = None
) -> None:
    """Write the wish to stop; a run that has no process yet stops on the spot."""
    if grace_seconds is None:
        given = run.spec.get("stop_grace_seconds")
        grace_seconds = settings().stop_grace_seconds if given is None else given
    deadline = in_seconds(grace_seconds)
    is_sooner = run.stop_deadline is None or deadline < run.stop_deadline
    run.desire = Desire.STOP
    run.stop_deadline = deadline if is_sooner else run.stop_deadline
    run.stop_reason = run.stop_reason or reason
    if run.state in WAITING:
        finish_run(session, run, RunState.STOPPED, reason)
    elif run.state is not RunState.STOPPING:
        move(session, run, RunState.STOPPING, reason=reason)
    session.execute(select(func.pg_notify(WAKE_RUNNER, str(run.id))))


def _own_tags(run: Run) -> dict[str, Any]:
    """What we noted among the tags ourselves; no client takes it away."""
    return {name: value for name, value in run.tags.items() if name == ADOPTED_TAG}


def _refuse_unknown(session: Session, owner: Experiment | Run, source_id: Any, queue: str) -> None:
    if queue not in QUEUES:
        raise UnknownQueue(
            f"there is no queue {queue!r}; use one of: {', '.join(QUEUES)}", pointer="/queue"
        )
    if source_id is None:
        return
    source = session.get(Source, source_id)
    if source is None or source.project_id != owner.project_id:
        raise UnknownSource(
            "the project has no such source; upload it first", pointer="/spec/source_id"
        )
