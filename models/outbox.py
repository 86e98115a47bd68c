"""Jobs waiting to be handed to the broker, and whether they were done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Entity


class OutboxMessage(Entity):
    """One job to be done once.

    ``due_at`` is when the dispatcher looks at the row next: now for a new one, after the
    re-send pause for one handed out, after its lease for one claimed. ``fence`` grows with
    each claim, so that only the last claimer can finish.
    """

    __tablename__ = "outbox_messages"

    job: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    intent_id: Mapped[UUID | None] = mapped_column(ForeignKey("intents.id"), index=True)
    due_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    sends: Mapped[int] = mapped_column(default=0, server_default="0")
    fence: Mapped[int] = mapped_column(default=0, server_default="0")
    claimed_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    last_error: Mapped[str | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_outbox_messages_due_at", "due_at", postgresql_where=text("finished_at is null")),
        Index(
            "ix_outbox_messages_finished_at",
            "finished_at",
            postgresql_where=text("finished_at is not null"),
        ),
    )
