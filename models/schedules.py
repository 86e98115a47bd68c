"""The timetable: rows that anyone with the right may edit, fired once each."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Entity


class Schedule(Entity):
    """A job to be done every so often."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(unique=True)
    job: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    every_seconds: Mapped[int]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    next_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_schedules_next_at", "next_at", postgresql_where=text("is_enabled")),
    )


class ScheduleFire(Base):
    """One firing; its key makes a second firing of the same moment impossible."""

    __tablename__ = "schedule_fires"

    schedule_id: Mapped[UUID] = mapped_column(
        ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True
    )
    planned_at: Mapped[datetime] = mapped_column(primary_key=True)
    message_id: Mapped[UUID]
