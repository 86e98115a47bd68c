"""Percentiles, and lines to put them in."""

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def verdict(name: str, value: float, bar: float | None) -> tuple[str, bool]:
    """A line that says how a figure stands to its bar, and whether it keeps it."""
    kept = bar is None or value < bar
    against = "" if bar is None else f"  (bar {milliseconds(bar)}: {'kept' if kept else 'MISSED'})"
    return f"  {name:56} {milliseconds(value):>10}{against}", kept
