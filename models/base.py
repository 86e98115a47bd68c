"""What every entity has."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

from models.types import Instant

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Root of the mapping; also holds rows that have a key of their own kind."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: Instant, dict[str, Any]: JSONB, list[Any]: JSONB}  # noqa: RUF012 - SQLAlchemy's own form


class Entity(Base):
    """A thing with an identity: ids are UUIDv7, so they sort by creation."""

    __abstract__ = True
    # What the server sets on an update is read with it, so that it can be shown after the commit.
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - SQLAlchemy's own form

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Versioned:
    """Mixin: a row that clients edit, guarded by its version (shown to them as the ETag)."""

    version: Mapped[int] = mapped_column(default=1, server_default="1")
