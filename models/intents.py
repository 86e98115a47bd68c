"""What people asked for: stored, followed, and settled once."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Entity
from models.types import Choice


class IntentState(StrEnum):
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"


SETTLED = frozenset(
    {
        IntentState.SUCCEEDED,
        IntentState.FAILED,
        IntentState.CANCELLED,
        IntentState.EXPIRED,
        IntentState.QUARANTINED,
    }
)


class Intent(Entity):
    """Something a person asked for, with its outcome."""

    __tablename__ = "intents"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"))
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str]
    subject_id: Mapped[UUID]
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    idempotency_key: Mapped[str | None]
    request_digest: Mapped[bytes]
    state: Mapped[IntentState] = mapped_column(Choice(IntentState), default=IntentState.ACCEPTED)
    percent: Mapped[int] = mapped_column(default=0)
    message: Mapped[str] = mapped_column(default="")
    result: Mapped[dict[str, Any] | None]
    error_code: Mapped[str | None]
    error_detail: Mapped[str | None]
    deadline_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_intents_project_id_id", "project_id", "id"),
        Index("ix_intents_subject_id_id", "subject_id", "id"),
        Index(
            "ix_intents_deadline_at",
            "deadline_at",
            postgresql_where=text("state in ('accepted','dispatched','running')"),
        ),
        Index(
            "uq_intents_actor_id_idempotency_key",
            "actor_id",
            "idempotency_key",
            unique=True,
            postgresql_where=text("idempotency_key is not null"),
        ),
    )

    @property
    def is_settled(self) -> bool:
        return self.state in SETTLED
