"""The only clock."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    return datetime.now(UTC)


def in_seconds(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)


def milliseconds(at: datetime | None) -> int | None:
    """An instant as MLflow's wire and our logs have it: milliseconds since 1970."""
    return int(at.timestamp() * 1000) if at is not None else None
