"""Projects and who belongs to them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.accounts import User
from models.base import Base, Entity, Versioned
from models.types import Choice


class ProjectRole(StrEnum):
    """What a member may do, each role holding all rights of those below it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    MAINTAINER = "maintainer"
    OWNER = "owner"


class Project(Versioned, Entity):
    """Who may see and do; everything belongs to one."""

    __tablename__ = "projects"

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.clock_timestamp(), onupdate=func.clock_timestamp()
    )
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_projects_name", "name", unique=True, postgresql_where=text("deleted_at is null")),
    )

    @property
    def project_id(self) -> UUID:
        return self.id


class Membership(Base):
    """One person's role in one project."""

    __tablename__ = "memberships"

    project_id: Mapped[UUID] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[ProjectRole] = mapped_column(Choice(ProjectRole))
    added_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())

    user: Mapped[User] = relationship(lazy="raise")
