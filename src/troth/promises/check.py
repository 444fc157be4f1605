"""What a check is: one way of looking, one judgement, and a known-bad fixture that the same judgement must fail.

A check looks at the running system (`observe`) and at something deliberately wrong (`sabotage`), with the same eyes;
`judge` never learns which is which. If the wrong thing passes, the run is an error: it could not have failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from troth.promises import code

UNNAMED, EMPTY = "unnamed", "empty"
"""In the details of a run of a register: no tenant is the house, or the register has no record that counts."""


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
    source_at: int | None = None  # epoch milliseconds: how old what was read is, where somebody else made it


@dataclass(frozen=True, slots=True)
class Check:
    """A declared check. `every` and `fresh` in seconds; older evidence than `fresh` counts as unknown.

    `scope`: what part of the installation it looks at. `population`: what one unit of `tested` is; each check has its
    own words for both, of 60 characters at most. `part`: installation, house or edge; an exception to its promises
    excuses it only where it names that part. `parameters` enter the digest.
    A source older than `source_age` seconds, or of no known age where one is wanted, is an error.
    """

    id: str
    promises: tuple[str, ...]
    looks_at: str  # one plain sentence: what it covers, and so what it does not claim
    observe: Callable[[Any], Facts]
    sabotage: Callable[[Any], Facts]
    every: int = 3600
    fresh: int = 26 * 3600
    scope: str = "installation"
    population: str = "as counted by the look"
    part: str = "installation"
    parameters: Mapping[str, object] = field(default_factory=dict)
    source_age: int | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the code of both looks with their helpers, of the judgement and of the parameters, in hex."""
        told = {**self.parameters, "source_age": self.source_age}
        return code.digest(self.id, self.observe.__module__, told)


def judge(facts: Facts, source_age: int | None = None, now: int = 0) -> Result:
    """Pass only when all was looked at and nothing was wrong; an empty population proves nothing, nor does a part.

    With `source_age` (seconds), nor does a source that was older at `now` (epoch ms), newer than now, or of no age.
    """
    if not facts.configured:
        return Result.NOT_CONFIGURED
    if facts.broken:
        return Result.FAIL
    if source_age is not None and not 0 <= now - _seen(facts, now) <= source_age * 1000:
        return Result.ERROR
    return Result.PASS if facts.tested > 0 and facts.tested >= facts.population else Result.ERROR


def _seen(facts: Facts, now: int) -> int:
    return now + 1 if facts.source_at is None else facts.source_at


def counted(outcomes: list[bool]) -> Facts:
    """Facts from a list of single verdicts (True: as promised)."""
    return Facts(population=len(outcomes), tested=len(outcomes), broken=outcomes.count(False))
