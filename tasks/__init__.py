"""Celery tasks, one module per area; importing them registers them."""

from tasks import exports, runs, upkeep

__all__ = ["exports", "runs", "upkeep"]
