"""What the audit log knows of the key tree's epochs, as the keys see it (they are siblings of the log)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

OPERATION = "keys.epoch"  # of the entry in the operator log; its facts are jurisdiction, epoch and digest


@dataclass(frozen=True, slots=True)
class LoggedEpoch:
    """An epoch and the SHA-256 of its manifest in hex."""

    epoch: int
    digest: str


class EpochLog(Protocol):
    """Reads the log; it cannot be rolled back together with key tables or roots without being noticed."""

    def newest(self, jurisdiction: str) -> LoggedEpoch | None:
        """The newest epoch that stands in the log, or None. Raises `Unavailable`, `IntegrityError`."""
        ...
