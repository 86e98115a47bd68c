"""Durable news: numbered without gaps within a topic."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Topic(Base):
    """Where news is announced; ``seq`` is the number of the last."""

    __tablename__ = "topics"

    name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)


class Event(Base):
    """One piece of news."""

    __tablename__ = "events"

    topic: Mapped[str] = mapped_column(ForeignKey("topics.name"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    is_streamed: Mapped[bool] = mapped_column(default=False, server_default="false")

    __table_args__ = (
        Index("ix_events_unstreamed", "topic", "seq", postgresql_where=text("not is_streamed")),
        Index("ix_events_at", "at"),
    )
