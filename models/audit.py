"""Who did what."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class AuditEntry(Base):
    """One command that was carried out."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor_id: Mapped[UUID | None]
    actor_kind: Mapped[str]
    action: Mapped[str]
    project_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]

    __table_args__ = (Index("ix_audit_entries_project_id_id", "project_id", "id"),)
