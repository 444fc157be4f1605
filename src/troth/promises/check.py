"""What a check is: one way of looking, one judgement, and a known-bad fixture that the same judgement must fail.

A check looks at the running system (`observe`) and at something deliberately wrong (`sabotage`), with the same eyes;
`judge` never learns which is which. If the wrong thing passes, the run is an error: it could not have failed.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Result(StrEnum):
    """What one look showed."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    ERROR = "error"  # could not look, or the known-bad fixture passed
    NOT_CONFIGURED = "not-configured"  # the thing promised is not set up here (no HSM, no vendor)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen: how many there are (`population`), were looked at (`tested`), and are wrong (`broken`)."""

    population: int
    tested: int
    broken: int
    configured: bool = True
    details: dict[str, int] = field(default_factory=dict)  # further counts, which the entry of the run states


@dataclass(frozen=True, slots=True)
class Check:
    """A declared check. `every` and `fresh` in seconds; older evidence than `fresh` counts as unknown."""

    id: str
    promises: tuple[str, ...]
    looks_at: str  # one plain sentence: what it covers, and so what it does not claim
    observe: Callable[[Any], Facts]
    sabotage: Callable[[Any], Facts]
    every: int = 3600
    fresh: int = 26 * 3600

    @property
    def digest(self) -> str:
        """SHA-256 of the code of both looks: a changed check is a different check."""
        text = inspect.getsource(inspect.getmodule(self.observe) or Check) + inspect.getsource(judge)
        return hashlib.sha256(f"{self.id}\0{text}".encode()).hexdigest()


def judge(facts: Facts) -> Result:
    """Pass only when something was looked at and nothing was wrong; an empty population proves nothing."""
    if not facts.configured:
        return Result.NOT_CONFIGURED
    if facts.broken:
        return Result.FAIL
    return Result.PASS if facts.tested > 0 and facts.tested >= min(facts.population, 1) else Result.ERROR


def counted(outcomes: list[bool]) -> Facts:
    """Facts from a list of single verdicts (True: as promised)."""
    return Facts(population=len(outcomes), tested=len(outcomes), broken=outcomes.count(False))
