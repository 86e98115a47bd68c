"""Outbox to broker, news to streams, and the reaper. Crash-only: kill it at any moment."""
