"""The runs' blueprint, with both modules that put routes on it."""

from api.v1.runs import intents, routes

__all__ = ["intents", "routes"]
