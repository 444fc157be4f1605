"""Backups, as far as an erasure's certificate must name them."""

from __future__ import annotations

from typing import Protocol


class BackupRegister(Protocol):
    """Knows which backups exist. The backup room implements it; the wiring binds it."""

    def covered(self, before: int) -> list[str]:
        """Ids of every backup that still exists and was begun before a moment (epoch ms), oldest first."""
        ...

    def made(self, before: int) -> list[int]:
        """When the oldest and the newest of `covered` were made (epoch ms); empty when there is none."""
        ...

    def away(self) -> list[str]:
        """Names of the places that cannot be asked now: what lies there is in no list of `covered`."""
        ...


class NoBackups:
    """An installation that makes none."""

    def covered(self, before: int) -> list[str]:
        del before
        return []

    def made(self, before: int) -> list[int]:
        del before
        return []

    def away(self) -> list[str]:
        return []
