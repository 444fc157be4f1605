"""What left Troth: copies that others hold, as far as an erasure's certificate must name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutsideCopy:
    """What one vendor may still hold: how many requests, until when at the latest (epoch ms; None: no stated end)."""

    vendor: str
    requests: int
    until: int | None


class Outside(Protocol):
    """Knows what was sent to whom. Asked before anything is forgotten."""

    def copies(self, tenant: str, objects: tuple[str, ...]) -> list[OutsideCopy]:
        """Per vendor, what it received with requests whose receipts are among `objects` (opaque ids)."""
        ...


class NothingLeft:
    """An installation that sends nothing out."""

    def copies(self, tenant: str, objects: tuple[str, ...]) -> list[OutsideCopy]:
        del tenant, objects
        return []
