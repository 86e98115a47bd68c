"""Experiments: a question, and the runs that answer it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Entity, Versioned


class Experiment(Versioned, Entity):
    """Holds runs. ``number`` is its name on MLflow's wire, which wants an integer."""

    __tablename__ = "experiments"

    number: Mapped[int] = mapped_column(Identity(start=1), unique=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    tags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.clock_timestamp(), onupdate=func.clock_timestamp()
    )
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_experiments_project_id_name",
            "project_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at is null"),
        ),
    )
