"""Entities only. Importing them all makes the metadata complete."""

from models import (
    accounts,
    audit,
    events,
    experiments,
    exports,
    intents,
    logs,
    metrics,
    outbox,
    projects,
    runs,
    schedules,
)

__all__ = [
    "accounts",
    "audit",
    "events",
    "experiments",
    "exports",
    "intents",
    "logs",
    "metrics",
    "outbox",
    "projects",
    "runs",
    "schedules",
]
