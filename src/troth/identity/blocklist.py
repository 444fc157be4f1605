"""Passwords that everybody tries: a sorted table of truncated hashes, searched in place.

Entries are the first 6 bytes of SHA-256 over the case-folded password. A password that is not on the list is refused
by chance once in 576 million tries. Origin and licence of the shipped table: docs/decisions/0032-block-list.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.resources import files

ENTRY_BYTES = 6
SHORTEST = 8  # shorter ones are refused by length, so the table need not hold them


class BlockList:
    """A table of blocked passwords. Raises ValueError when the table is not a whole number of entries."""

    def __init__(self, table: bytes) -> None:
        if not table or len(table) % ENTRY_BYTES:
            raise ValueError("the block list is cut short")
        self._table = table

    @classmethod
    def shipped(cls) -> BlockList:
        """The table that comes with the package."""
        return cls((files("troth.identity") / "data" / "blocked-passwords.bin").read_bytes())

    def __len__(self) -> int:
        return len(self._table) // ENTRY_BYTES

    def __contains__(self, password: str) -> bool:
        wanted = entry(password)
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            found = self._table[middle * ENTRY_BYTES : (middle + 1) * ENTRY_BYTES]
            if found == wanted:
                return True
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        return False


def entry(password: str) -> bytes:
    """What the table holds for a password."""
    return hashlib.sha256(password.casefold().encode()).digest()[:ENTRY_BYTES]


def table_of(passwords: Iterable[str]) -> bytes:
    """A table from plain passwords, one each; the same set gives the same bytes."""
    return b"".join(sorted({entry(one) for one in passwords if len(one) >= SHORTEST}))
