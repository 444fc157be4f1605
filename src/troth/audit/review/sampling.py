"""Which acts of a range a review looks at. Pure, and the same for everybody who has the log and the seed.

Every act of the highest weight is drawn. Of the other weights, those acts are drawn whose score is lowest, where

    score(act) = SHA-256("troth review v1\\n" || seed || index as 8 bytes, most significant first)

`sample` changes are drawn, and a quarter of that number, rounded up, of readings. Equal scores would need a collision
of SHA-256; the lower index would come first. The seed is 32 random bytes that the service draws when the range is
fixed, and that its record names before anybody sees what was drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from troth.audit.review.weights import Act, Weight

SEED_BYTES = 32
_DOMAIN = b"troth review v1\n"
READINGS = 4  # one reading is drawn where so many changes are


@dataclass(frozen=True, slots=True)
class Drawn:
    """An act to be judged. `sampled` is False for one that is looked at because of its weight."""

    act: Act
    sampled: bool


def score(seed: bytes, index: int) -> bytes:
    """What orders the acts of one weight: 32 bytes."""
    return hashlib.sha256(_DOMAIN + seed + index.to_bytes(8, "big")).digest()


def draw(acts: Iterable[Act], seed: bytes, sample: int) -> list[Drawn]:
    """What is looked at of `acts`, by index."""
    strata: dict[int, list[Act]] = {weight: [] for weight in Weight}
    for act in acts:
        strata[act.weight].append(act)
    found = [Drawn(act, sampled=False) for act in strata[Weight.HEAVIEST]]
    for weight, count in ((Weight.CHANGE, sample), (Weight.READING, -(-sample // READINGS))):
        ordered = sorted(strata[weight], key=lambda act: (score(seed, act.index), act.index))
        found += [Drawn(act, sampled=True) for act in ordered[:count]]
    return sorted(found, key=lambda one: one.act.index)
