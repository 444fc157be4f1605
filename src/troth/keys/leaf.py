"""A leaf page of the key tree: unit secrets by address, kept as runs of bytes, one a subject. No I/O.

Runs and not a table of entries: opening, erasing and sealing a page then touch a few byte strings instead of hundreds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from troth.keys.units import ADDRESS_BYTES

SUBJECT_BYTES = 32  # of an address: tenant 16 and subject 16
SECRET_BYTES = 32
_LOW = ADDRESS_BYTES - SUBJECT_BYTES
WIDTH = _LOW + SECRET_BYTES  # a unit within its subject's run

Range = tuple[bytes, bytes]  # addresses from (inclusive), to (exclusive)


@dataclass(frozen=True, slots=True)
class Leaf:
    """Per subject, in rising order: 4 bytes of address and the secret of each unit, in rising order.

    Never changed in place.
    """

    runs: dict[bytes, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, entries: Mapping[bytes, bytes]) -> Leaf:
        """A leaf of secrets (32 bytes) by address (36 bytes)."""
        found: dict[bytes, list[bytes]] = {}
        for place in sorted(entries):
            found.setdefault(place[:SUBJECT_BYTES], []).append(place[SUBJECT_BYTES:] + entries[place])
        return cls({subject: b"".join(units) for subject, units in found.items()})

    @property
    def entries(self) -> dict[bytes, bytes]:
        """Secrets by address, in rising order."""
        return {place: secret for subject, units in self.runs.items() for place, secret in _entries(subject, units)}

    def __len__(self) -> int:
        return sum(map(len, self.runs.values())) // WIDTH

    def get(self, address: bytes) -> bytes | None:
        """The secret at an address, or None."""
        units, low = self.runs.get(address[:SUBJECT_BYTES], b""), address[SUBJECT_BYTES:]
        at = units.find(low)
        while at > 0 and at % WIDTH:  # the same bytes inside a secret
            at = units.find(low, at + 1)
        return units[at + _LOW : at + WIDTH] if at >= 0 else None

    def without(self, ranges: Sequence[Range]) -> Leaf:
        """The leaf without the addresses in `ranges`; the same object when there is none of them."""
        runs = self.runs
        for low, high in ranges:
            first, last = low[:SUBJECT_BYTES], high[:SUBJECT_BYTES]
            touched = [subject for subject in runs if first <= subject <= last]
            if touched:
                runs = dict(runs)
            for subject in touched:
                if kept := _outside(subject, runs[subject], low, high):
                    runs[subject] = kept
                else:
                    del runs[subject]
        return self if runs == self.runs else Leaf(runs)


def lost(before: Leaf, after: Mapping[bytes, Iterable[bytes]]) -> list[bytes]:
    """Addresses of `before` whose secrets are not in `after`: runs by subject."""
    found: list[bytes] = []
    for subject, units in before.runs.items():
        now = tuple(after.get(subject, ()))
        if units not in now:
            there = {entry for run in now for entry in _entries(subject, run)}
            found += [place for place, secret in _entries(subject, units) if (place, secret) not in there]
    return found


def _outside(subject: bytes, units: bytes, low: bytes, high: bytes) -> bytes:
    """The units of a run that lie outside a range."""
    first = subject + units[:_LOW]
    last = subject + units[-WIDTH : _LOW - WIDTH]
    if low <= first and last < high:
        return b""
    return b"".join(
        units[at : at + WIDTH]
        for at in range(0, len(units), WIDTH)
        if not low <= subject + units[at : at + _LOW] < high
    )


def _entries(subject: bytes, units: bytes) -> Iterable[tuple[bytes, bytes]]:
    for at in range(0, len(units), WIDTH):
        yield subject + units[at : at + _LOW], units[at + _LOW : at + WIDTH]
