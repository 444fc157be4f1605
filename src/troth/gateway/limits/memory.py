"""Limits in the memory of one process. A restart forgets them, but for months, which begin with what was used."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from troth.gateway.limits.buckets import Change, Claim, Seed, Taken, fallen, standing, worst
from troth.gateway.limits.rules import SPANS_MS, Moment, Window

_MANY = 100_000  # buckets; beyond it those go that are empty again


@dataclass(slots=True)
class _Bucket:
    level: float = 0.0
    at: int = 0  # ms; the month's number for sums of a month
    window: Window = Window.MINUTE
    most: int = 0
    leases: dict[str, int] = field(default_factory=dict)

    def empty(self, now: Moment) -> bool:
        """Whether it says no more than a fresh one would; a month that is over begins anew, by the rows."""
        if self.window is Window.MONTH:
            return self.at < now.month
        if self.window is Window.NOW:
            return all(until <= now.now for until in self.leases.values())
        return fallen(self.level, self.at, now.now, self.most, SPANS_MS[self.window]) == 0.0


class MemoryBuckets:
    """Implements `buckets.Buckets`."""

    remote = False

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()
        self._many = _MANY

    def take(self, claims: Sequence[Claim], moment: Moment, lease: tuple[str, int], seed: Seed) -> Taken:
        """See `Buckets.take`."""
        seeds = self._seeds(claims, seed)
        with self._lock:
            now = [self._now(claim, moment, seeds.get(place, 0)) for place, claim in enumerate(claims)]
            refusal = worst([level for level, _ in now], claims, moment)
            if refusal is not None:
                return refusal
            standings = []
            for claim, (level, at) in zip(claims, now, strict=True):
                one = self._keep(claim, level + claim.amount, at, moment)
                if claim.rule.window is Window.NOW:
                    one.leases[lease[0]] = lease[1]
                standings.append(standing(one.level, at, claim, moment))
            return Taken(tuple(standings))

    def settle(self, changes: Sequence[Change], moment: Moment, lease: str) -> None:
        """See `Buckets.settle`."""
        with self._lock:
            for change in changes:
                claim = change.claim
                level, at = self._now(claim, moment, 0)
                if claim.rule.window is Window.NOW:
                    if claim.bucket in self._buckets:
                        self._buckets[claim.bucket].leases.pop(lease, None)
                    continue
                by = _by(change, at)
                self._keep(claim, max(0.0, level + by), at, moment)

    def _seeds(self, claims: Sequence[Claim], seed: Seed) -> dict[int, int]:
        """What sums begin with that are not known; asked outside the lock, for it may read a database."""
        months = (place for place, claim in enumerate(claims) if claim.rule.window is Window.MONTH)
        return {place: seed(place) for place in months if claims[place].bucket not in self._buckets}

    def _now(self, claim: Claim, moment: Moment, seed: int) -> tuple[float, int]:
        """Level and time of a bucket; nothing of it is changed."""
        one, window = self._buckets.get(claim.bucket), claim.rule.window
        if window is Window.MONTH:
            if one is None:
                return float(seed), moment.month
            return (0.0, moment.month) if moment.month > one.at else (one.level, one.at)
        at = max(moment.now, one.at) if one is not None else moment.now
        if one is None:
            return 0.0, at
        if window is Window.NOW:
            return float(sum(until > at for until in one.leases.values())), at
        return fallen(one.level, one.at, moment.now, claim.most, SPANS_MS[window]), at

    def _keep(self, claim: Claim, level: float, at: int, moment: Moment) -> _Bucket:
        one = self._buckets.get(claim.bucket)
        if one is None:
            self._tidy(moment)
            one = self._buckets[claim.bucket] = _Bucket()
        one.level, one.at = level, at
        one.window, one.most = claim.rule.window, claim.most
        if one.leases:
            one.leases = {name: until for name, until in one.leases.items() if until > at}
        return one

    def _tidy(self, moment: Moment) -> None:
        if len(self._buckets) < self._many:
            return
        for name in [name for name, one in self._buckets.items() if one.empty(moment)]:
            del self._buckets[name]
        self._many = max(_MANY, 2 * len(self._buckets))


def _by(change: Change, at: int) -> float:
    """What a change does to a level now: of what is given back, the part that has flowed off already is gone."""
    if change.by >= 0:
        return change.by
    if change.claim.rule.window is Window.MONTH:
        return change.by if at == change.month else 0
    flowed = (at - change.standing.at) * change.claim.most / SPANS_MS[change.claim.rule.window]
    return -max(0.0, -change.by - flowed)
