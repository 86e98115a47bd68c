"""What a run's process wrote, in line-numbered chunks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class LogChunk(Base):
    """Consecutive lines of one run; ``lines`` holds ``[stream, milliseconds, text]`` each."""

    __tablename__ = "log_chunks"

    run_id: Mapped[UUID] = mapped_column(
        ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    first_line: Mapped[int] = mapped_column(primary_key=True)
    last_line: Mapped[int]
    attempt_number: Mapped[int]
    lines: Mapped[list[Any]]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
