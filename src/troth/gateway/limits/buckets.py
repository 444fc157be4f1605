"""What limits stand on: buckets that fill up evenly, sums of a month, and places for what runs now.

A bucket's level falls by `most` in each window; an amount fits while level and amount are at most `most`. Time never
runs backwards: a bucket, a month or a lease that saw a later moment stays there. Both stores compute with doubles in
the same order, so they answer alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from troth.gateway.limits.rules import SPANS_MS, Moment, Rule, Window

ASK_AGAIN_MS = 1000  # where nobody knows when a place becomes free


@dataclass(frozen=True, slots=True)
class Claim:
    """So much of one limit. `bucket` is opaque; what is taken together has the same `{part}` of it (Redis Cluster).

    An amount of 0 always fits.
    """

    bucket: str
    rule: Rule
    most: int
    amount: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands after a claim: what is left, ms until all of it is there again, and the bucket's own time."""

    left: int
    reset_ms: int
    at: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken together. `refused` is the place of the claim that does not fit, and the longest to wait for."""

    standings: tuple[Standing, ...] = ()
    refused: int | None = None
    wait_ms: int = 0
    """Until the refused claim fits, if nobody else asks; -1: never, it is more than the limit."""


@dataclass(frozen=True, slots=True)
class Change:
    """What came of a claim: `by` is the amount beyond what was taken, negative for what is given back."""

    claim: Claim
    standing: Standing
    month: int
    by: int


Seed = Callable[[int], int]  # what a month's sum begins with, by the place of the claim


class Buckets(Protocol):
    """One store. Every method is atomic over all claims, and raises `Unavailable` (limits-away) for a store that is."""

    remote: bool
    """True where each call is a round trip to another machine."""

    def take(self, claims: Sequence[Claim], moment: Moment, lease: tuple[str, int], seed: Seed) -> Taken:
        """All of it or nothing. `lease`: name of the request, and until when (ms) it counts as running at most.

        `seed` is asked for sums of the month that the store does not know.
        """
        ...

    def settle(self, changes: Sequence[Change], moment: Moment, lease: str) -> None:
        """Give back or take more, and end the lease. What is taken more may pass a limit: it was used."""
        ...


def fallen(level: float, since: int, now: int, most: int, span: int) -> float:
    """A bucket's level at `now`."""
    return max(0.0, level - max(0, now - since) * most / span)


def wait(level: float, claim: Claim, moment: Moment) -> int:
    """Milliseconds until a claim fits that does not fit now; -1 for never."""
    if claim.amount > claim.most:
        return -1
    if claim.rule.window is Window.MONTH:
        return max(1, moment.ends - moment.now)
    if claim.rule.window is Window.NOW:
        return ASK_AGAIN_MS
    return max(1, math.ceil((level + claim.amount - claim.most) * SPANS_MS[claim.rule.window] / claim.most))


def standing(level: float, at: int, claim: Claim, moment: Moment) -> Standing:
    """How a limit stands whose level, with the claim, is `level`."""
    left = max(0, math.floor(claim.most - level))
    if claim.rule.window is Window.MONTH:
        return Standing(left, max(0, moment.ends - moment.now), at)
    if claim.rule.window is Window.NOW:
        return Standing(left, 0, at)
    span = SPANS_MS[claim.rule.window]
    return Standing(left, math.ceil(level * span / claim.most) if claim.most else span, at)


def worst(levels: Sequence[float], claims: Sequence[Claim], moment: Moment) -> Taken | None:
    """The refusal of what does not fit, by the claim that must wait longest; None when all fit."""
    found: Taken | None = None
    for place, (level, claim) in enumerate(zip(levels, claims, strict=True)):
        if not claim.amount or level + claim.amount <= claim.most:
            continue
        ms = wait(level, claim, moment)
        if found is None or ms == -1 or (found.wait_ms != -1 and ms > found.wait_ms):
            found = Taken((), place, ms)
    return found
