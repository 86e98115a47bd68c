"""Logged numbers, stored narrow: points, the latest of each key, and how many were heard."""

from uuid import UUID

from sqlalchemy import BigInteger, Double, ForeignKey, Identity, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class MetricKey(Base):
    """The dictionary of metric names; points carry the small number instead."""

    __tablename__ = "metric_keys"

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class MetricPoint(Base):
    """One logged number. All columns are the key: logging it again changes nothing.

    Without foreign keys on purpose: checking them was half the cost of a batch, and the one
    statement that writes points reads both rows anyway.
    """

    __tablename__ = "metric_points"

    run_number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    key_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    step: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    logged_ms: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    value: Mapped[float] = mapped_column(Double, primary_key=True)


class LatestMetric(Base):
    """The point of a run and key with the greatest (step, time, value)."""

    __tablename__ = "latest_metrics"

    run_number: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True
    )
    key_id: Mapped[int] = mapped_column(ForeignKey("metric_keys.id"), primary_key=True)
    experiment_id: Mapped[UUID]
    step: Mapped[int] = mapped_column(BigInteger)
    logged_ms: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float] = mapped_column(Double)

    __table_args__ = (
        Index(
            "ix_latest_metrics_experiment_id_key_id_value_run_number",
            "experiment_id",
            "key_id",
            "value",
            "run_number",
        ),
    )


class MetricTail(Base):
    """How many points of a run were accepted, so that live listeners notice a hole."""

    __tablename__ = "metric_tails"

    run_number: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True
    )
    ordinal: Mapped[int] = mapped_column(BigInteger, default=0)
