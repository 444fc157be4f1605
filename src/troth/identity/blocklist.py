"""Passwords that everybody tries: a sorted table of truncated hashes, searched in place.

An entry is the first 6 bytes of SHA-256 over the case-folded password. A password that is not on the list is refused
by chance once in 593 million tries. Origin and licence of the shipped table: docs/decisions/0032-block-list.md.

The table begins with 65,536 counts of one byte, one for each value of an entry's first two bytes; the other four bytes
of each entry follow, sorted. That is a third smaller than whole entries.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from itertools import accumulate

BUCKETS = 1 << 16
SUFFIX_BYTES = 4
SHORTEST = 8  # shorter ones are refused by length, so the table need not hold them


class BlockList:
    """A table of blocked passwords. Raises ValueError when the table does not have the length that it states."""

    def __init__(self, table: bytes) -> None:
        self._starts = array("I", accumulate(table[:BUCKETS], initial=0))
        self._suffixes = table[BUCKETS:]
        if len(self._starts) != BUCKETS + 1 or len(self._suffixes) != self._starts[-1] * SUFFIX_BYTES:
            raise ValueError("the block list is cut short")

    @classmethod
    def shipped(cls) -> BlockList:
        """The table that comes with the package."""
        return cls((files("troth.identity") / "data" / "blocked-passwords.bin").read_bytes())

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __contains__(self, password: str) -> bool:
        wanted = entry(password)
        bucket = int.from_bytes(wanted[:2])
        first, last = self._starts[bucket], self._starts[bucket + 1]
        place = bisect_left(range(last), wanted[2:], lo=first, key=self._suffix)
        return place < last and self._suffix(place) == wanted[2:]

    def _suffix(self, number: int) -> bytes:
        return self._suffixes[number * SUFFIX_BYTES : (number + 1) * SUFFIX_BYTES]


def entry(password: str) -> bytes:
    """What the table holds for a password."""
    return hashlib.sha256(password.casefold().encode()).digest()[: 2 + SUFFIX_BYTES]


def table_of(passwords: Iterable[str]) -> bytes:
    """A table from plain passwords, one each; the same set gives the same bytes."""
    return packed({entry(one) for one in passwords if len(one) >= SHORTEST})


def packed(entries: Iterable[bytes]) -> bytes:
    """The table of whole entries. Raises ValueError when more than 255 begin alike."""
    ordered = sorted(entries)
    counts = Counter(int.from_bytes(one[:2]) for one in ordered)
    return bytes(counts[bucket] for bucket in range(BUCKETS)) + b"".join(one[2:] for one in ordered)
