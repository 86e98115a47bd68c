"""How numbers are written where JSON has no word for them."""

import math


def number_out(value: float) -> float | str:
    """A number; ``NaN``, ``Infinity`` and ``-Infinity`` spelt out as MLflow's clients know them."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
