"""From where a register is looked at: the moment, the calendars, who belongs to a population, and lists by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from troth.vault.rights.clocks import Calendar

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Member:
    """One of a population, and since when (epoch ms)."""

    id: str
    since: int


@dataclass(frozen=True, slots=True)
class Item:
    """What one member did for one record: attested, completed (epoch ms)."""

    record: str
    population: str
    member: str
    at: int


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a register at `now` (epoch ms).

    `members`: everybody of a population, by its name (`staff.active`); a population that is not here is unknown, not
    empty. `lists`: values by name for `covers`, for instance the ids of all promises.
    """

    now: int
    home: Calendar = field(default_factory=Calendar)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    members: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """`now` as a moment in UTC."""
        return datetime.fromtimestamp(self.now / 1000, UTC)

    @property
    def today(self) -> date:
        """The day it is where it is latest: what ends yesterday there has ended."""
        return (self.moment + self.home.east).date()
