"""What an attempt's token means to a script that knows nothing of Runyard.

Whatever experiment the script names is the one its run belongs to. The first run it opens is
the run itself; runs it opens further are recorded as runs nested in it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, or_, select, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from domain.access.policy import Actor, ActorKind
from domain.errors import NotFound
from domain.runs.fence import hold_attempt
from domain.runs.names import ADOPTED_TAG
from models.experiments import Experiment
from models.runs import Run


@dataclass(frozen=True)
class Opening:
    """What a client says of a run that it opens."""

    name: str
    tags: Mapping[str, str]
    started_at: datetime | None = None
    parent_id: UUID | None = None


def bound_experiment(session: Session, actor: Actor) -> Experiment | None:
    """The experiment an attempt works in; None for people, who choose theirs."""
    if actor.kind is not ActorKind.RUN:
        return None
    return session.get_one(Experiment, actor.experiment_id)


def adopt(session: Session, actor: Actor, opening: Opening) -> Run | None:
    """Give a script its own run as the first one it opens; None if it opens a further one.

    The same opening sent again, because an answer was lost on the way, finds the same run.

    :raises KeyRefused: the attempt is over.
    """
    hold_attempt(session, actor)
    if opening.parent_id is not None:
        return None
    attempt, mark = _marks(actor, opening)
    marked = Run.tags[ADOPTED_TAG].astext
    tags = {**opening.tags, ADOPTED_TAG: mark}
    return session.scalar(
        update(Run)
        .where(
            Run.id == actor.run_id,
            Run.deleted_at.is_(None),
            or_(marked.is_(None), marked.not_like(f"{attempt}:%"), marked == mark),
        )
        .values(tags=Run.tags.op("||")(type_coerce(tags, JSONB)), updated_at=func.clock_timestamp())
        .returning(Run)
    )


def parent_within(session: Session, actor: Actor, wanted: UUID | None) -> UUID | None:
    """The run around a run to be opened. All that a script opens hangs on its own run.

    :raises NotFound: the script names a run that is neither its own nor nested in that.
    """
    if actor.kind is not ActorKind.RUN:
        return wanted
    if wanted not in (None, actor.run_id):
        nested = select(Run.id).where(Run.id == wanted, Run.parent_id == actor.run_id)
        if session.scalar(nested) is None:
            raise NotFound(f"there is no run with id {wanted}")
    return actor.run_id


def _marks(actor: Actor, opening: Opening) -> tuple[str, str]:
    attempt = actor.attempt_id.hex if actor.attempt_id else ""
    said: list[Any] = [opening.name, opening.started_at, dict(opening.tags)]
    digest = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    return attempt, f"{attempt}:{digest}"
