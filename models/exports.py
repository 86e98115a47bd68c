"""Bundles that were written."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Entity


class Export(Entity):
    """One portable bundle of one run, in the artifact store under ``path``."""

    __tablename__ = "exports"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id"), index=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"), index=True)
    intent_id: Mapped[UUID] = mapped_column(ForeignKey("intents.id"), unique=True)
    path: Mapped[str]
    name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
