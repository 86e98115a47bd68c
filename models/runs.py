"""Runs, the attempts to carry them out, and how they moved from state to state."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Entity, Versioned
from models.experiments import Experiment
from models.types import Choice


class RunState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    STOPPING = "stopping"
    PAUSED = "paused"
    RETRY_WAIT = "retry_wait"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"


OVER = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED, RunState.SKIPPED})


class RunOrigin(StrEnum):
    """Whether Runyard carries the run out or a client only records it."""

    MANAGED = "managed"
    RECORDED = "recorded"


class Desire(StrEnum):
    """What people want of a run, apart from what is observed of it."""

    RUN = "run"
    STOP = "stop"


class FailureClass(StrEnum):
    USER_ERROR = "user_error"
    COMMAND_NOT_FOUND = "command_not_found"
    OUT_OF_MEMORY = "out_of_memory"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    SOURCE = "source"
    RUNTIME_BUILD = "runtime_build"
    WORKER_LOST = "worker_lost"
    START_TIMEOUT = "start_timeout"


class AttemptState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    OVER = "over"


class Outcome(StrEnum):
    """How an attempt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"
    SUPERSEDED = "superseded"


class Source(Entity):
    """An uploaded archive with training code, kept in the artifact store by its digest."""

    __tablename__ = "sources"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    name: Mapped[str]
    kind: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    files: Mapped[list[Any]]
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))


class Run(Versioned, Entity):
    """One execution the user sees. ``number`` keys the metric tables, where width counts."""

    __tablename__ = "runs"

    number: Mapped[int] = mapped_column(BigInteger, Identity(start=1), unique=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    experiment_id: Mapped[UUID] = mapped_column(ForeignKey("experiments.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"), index=True)
    cloned_from_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    source_id: Mapped[UUID | None] = mapped_column(ForeignKey("sources.id"))
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    origin: Mapped[RunOrigin] = mapped_column(Choice(RunOrigin), default=RunOrigin.MANAGED)
    spec: Mapped[dict[str, Any]] = mapped_column(default=dict)
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    queue: Mapped[str] = mapped_column(default="default")

    state: Mapped[RunState] = mapped_column(Choice(RunState), default=RunState.DRAFT)
    desire: Mapped[Desire] = mapped_column(Choice(Desire), default=Desire.RUN)
    stop_reason: Mapped[str | None]
    stop_deadline: Mapped[datetime | None]
    failure_class: Mapped[FailureClass | None] = mapped_column(Choice(FailureClass))
    failure_detail: Mapped[str | None]
    exit_code: Mapped[int | None]
    attempt_count: Mapped[int] = mapped_column(default=0, server_default="0")
    progress: Mapped[dict[str, Any] | None]

    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.clock_timestamp(), onupdate=func.clock_timestamp()
    )
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    experiment: Mapped[Experiment] = relationship(lazy="raise")

    __table_args__ = (
        Index("ix_runs_project_id_id", "project_id", "id"),
        Index("ix_runs_experiment_id_id", "experiment_id", "id"),
        Index("ix_runs_project_id_state_id", "project_id", "state", "id"),
        Index(
            "ix_runs_unfinished",
            "queue",
            "id",
            postgresql_where=text(
                "state in ('queued','preparing','running','stopping','retry_wait')"
            ),
        ),
    )

    @property
    def is_over(self) -> bool:
        return self.state in OVER


class RunTransition(Base):
    """One move of a run, kept for ever."""

    __tablename__ = "run_transitions"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"), index=True)
    before: Mapped[RunState] = mapped_column(Choice(RunState))
    after: Mapped[RunState] = mapped_column(Choice(RunState))
    reason: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Attempt(Entity):
    """One try by a machine to carry out a run; ``number`` is its fence."""

    __tablename__ = "attempts"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"))
    number: Mapped[int]
    host: Mapped[str]
    state: Mapped[AttemptState] = mapped_column(Choice(AttemptState), default=AttemptState.STARTING)
    outcome: Mapped[Outcome | None] = mapped_column(Choice(Outcome))
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    lease_until: Mapped[datetime]
    runner_pid: Mapped[int | None]
    process_pid: Mapped[int | None]
    workspace: Mapped[str | None]
    runtime: Mapped[str | None]
    isolation: Mapped[str | None]
    exit_code: Mapped[int | None]
    exit_signal: Mapped[int | None]
    failure_class: Mapped[FailureClass | None] = mapped_column(Choice(FailureClass))
    detail: Mapped[str | None]
    process_started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    run: Mapped[Run] = relationship(lazy="raise")

    __table_args__ = (
        UniqueConstraint("run_id", "number"),
        Index("uq_attempts_live", "run_id", unique=True, postgresql_where=text("outcome is null")),
        Index("ix_attempts_lease_until", "lease_until", postgresql_where=text("outcome is null")),
    )
