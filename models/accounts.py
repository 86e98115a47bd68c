"""People and what they sign in with."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Entity, Versioned
from models.types import Choice


class PlatformRole(StrEnum):
    ADMIN = "admin"
    USER = "user"


class User(Versioned, Entity):
    """A person."""

    __tablename__ = "users"

    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[PlatformRole] = mapped_column(Choice(PlatformRole), default=PlatformRole.USER)
    is_active: Mapped[bool] = mapped_column(default=True)
    last_sign_in_at: Mapped[datetime | None]

    __table_args__ = (Index("uq_users_email", text("lower(email)"), unique=True),)


class SetupToken(Base):
    """The one-time token that makes the first administrator; at most one row."""

    __tablename__ = "setup_token"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    digest: Mapped[bytes]
    used_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)


class UserSession(Entity):
    """One sign-in of one person; the access token only points here."""

    __tablename__ = "user_sessions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    user_agent: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")

    user: Mapped[User] = relationship(lazy="raise")


class RefreshToken(Entity):
    """One link of a session's chain of refresh tokens; only its digest is kept."""

    __tablename__ = "refresh_tokens"

    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("user_sessions.id", ondelete="CASCADE"), index=True
    )
    digest: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class ApiKey(Entity):
    """A personal key for scripts; shown once, kept as a digest."""

    __tablename__ = "api_keys"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    hint: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class LiveTicket(Base):
    """A single-use pass to the live socket, so that no lasting secret stands in a URL."""

    __tablename__ = "live_tickets"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    session_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("user_sessions.id", ondelete="CASCADE")
    )
    api_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]
