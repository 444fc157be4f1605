"""What a running call uses: how often it opened content, or asked a vendor. Its closing entry says so.

The road (`kernel.dispatch`) and the runner of checks open a tally; whoever uses something counts it, and learns
whether anybody is keeping count. Work that runs for nobody finds no tally.
"""

from __future__ import annotations

from collections import Counter
from contextvars import ContextVar, Token
from typing import Protocol

READ = "object-read"  # content opened for somebody
SERVICE = "object-service"  # content opened for nobody: moved to a fresh key, packed, scrubbed
VENDOR = "vendor-call"  # a request left, or was about to
RECEIPT = "vendor-receipt"  # a receipt was kept

_tally: ContextVar[Counter[str] | None] = ContextVar("troth-uses", default=None)


class Meter(Protocol):
    """Counts uses durably."""

    def count(self, name: str) -> None:
        """One more use. Raises `Unavailable` when it cannot be counted: nothing may be used then."""
        ...


class Unmetered:
    """For parts that are built without an installation around them."""

    def count(self, name: str) -> None:
        """Nobody asks."""


class tallying:  # noqa: N801 - reads as a statement
    """`with tallying(counter):` what is used in the block is counted there, also by threads that it hands work to.

    With None, it is in nobody's name.
    """

    __slots__ = ("_counter", "_token")

    def __init__(self, counter: Counter[str] | None) -> None:
        self._counter = counter

    def __enter__(self) -> None:
        self._token: Token[Counter[str] | None] = _tally.set(self._counter)

    def __exit__(self, *_: object) -> None:
        _tally.reset(self._token)


def tallied(name: str) -> bool:
    """Count one use in the running tally. False when there is none."""
    counter = _tally.get()
    if counter is None:
        return False
    counter[name] += 1
    return True
