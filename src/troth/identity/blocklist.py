"""Passwords that everybody tries: a sorted table of truncated hashes, read where it lies.

An entry is the first 6 bytes of SHA-256 over the case-folded password. A password that is not on the list is refused
by chance once in 593 million tries. Origin and licence of the shipped table: docs/decisions/0032-block-list.md.

The table begins with 65,536 counts of one byte, one for each value of an entry's first two bytes; the other four bytes
of each entry follow, sorted. That is a third smaller than whole entries.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import accumulate

BUCKETS = 1 << 16
SUFFIX_BYTES = 4
SHORTEST = 8  # shorter ones are refused by length, so the table need not hold them


class BlockList:
    """A table of blocked passwords. Raises ValueError when the table does not have the length that it states."""

    def __init__(self, table: bytes | _Shipped) -> None:
        self._table = table
        self._starts = array("I", accumulate(table[:BUCKETS], initial=0))
        if len(self._starts) != BUCKETS + 1 or len(table) != BUCKETS + self._starts[-1] * SUFFIX_BYTES:
            raise ValueError("the block list is cut short")

    @classmethod
    @cache
    def shipped(cls) -> BlockList:
        """The table that comes with the package."""
        return cls(_Shipped(str(files("troth.identity") / "data" / "blocked-passwords.bin")))

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __contains__(self, password: str) -> bool:
        wanted = entry(password)
        bucket = int.from_bytes(wanted[:2])
        first, last = (BUCKETS + start * SUFFIX_BYTES for start in self._starts[bucket : bucket + 2])
        suffixes = self._table[first:last]
        return any(suffixes[at : at + SUFFIX_BYTES] == wanted[2:] for at in range(0, last - first, SUFFIX_BYTES))


class _Shipped:
    """Bytes of a file that is open as long as the process runs: 2 MB that nobody needs in memory."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __len__(self) -> int:
        return os.fstat(self._file).st_size

    def __getitem__(self, part: slice) -> bytes:
        """Raises ValueError where the file has become shorter."""
        first, last, _ = part.indices(len(self))
        found = os.pread(self._file, last - first, first)
        if len(found) != (part.stop - (part.start or 0)):
            raise ValueError("the block list is cut short")
        return found


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
