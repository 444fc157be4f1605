"""States that are asked for when somebody looks: lag, ages, health, space. Between looks they cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """One state. `values` gives a number for each value of `label` (for "" where there is no label), or nothing.

    A name that ends in `_total` only grows.
    """

    name: str
    text: str
    values: Callable[[], Mapping[str, float]]
    label: str | None = None
