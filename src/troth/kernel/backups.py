"""Backups, as far as an erasure's certificate must name them."""

from __future__ import annotations

from typing import Protocol


class BackupRegister(Protocol):
    """Knows which backups exist. The backup room implements it; the wiring binds it."""

    def covered(self, before: int) -> list[str]:
        """Ids of every backup that still exists and was begun before a moment (epoch ms), oldest first."""
        ...


class NoBackups:
    """An installation that makes none."""

    def covered(self, before: int) -> list[str]:
        del before
        return []
