"""Time, injected so that tests can move it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Gives the present moment."""

    def now(self) -> datetime:
        """The present moment in UTC, with its zone attached."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970-01-01T00:00:00Z; the unit of every stored time."""
    return int(moment.timestamp() * 1000)


def from_epoch_ms(milliseconds: int) -> datetime:
    """The inverse of `epoch_ms`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def iso(milliseconds: int) -> str:
    """A stored time as documents and answers show it: ISO 8601 in UTC with milliseconds (2026-11-22T08:00:00.000Z)."""
    return from_epoch_ms(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_if(milliseconds: int | None) -> str | None:
    """The same for a time that may not be there."""
    return None if milliseconds is None else iso(milliseconds)
