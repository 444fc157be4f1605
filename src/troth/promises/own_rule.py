"""A promise of a paper's own as checks see it: its id, and the checks of which each one must look at it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from troth.promises.schedule import ScheduleVersion
from troth.promises.status import Declared


@dataclass(frozen=True, slots=True)
class OwnRule:
    """Where one of its checks is missing, none covers it: then nobody looked at all of it."""

    id: str
    checks: frozenset[str]

    @property
    def key(self) -> str:
        """Names it with its checks; no id of the catalogue looks like that."""
        return f"{self.id} {' '.join(sorted(self.checks))}"

    def declared(self, declared: Sequence[Declared]) -> list[Declared]:
        """Its checks of those, as covering it alone."""
        mine = [replace(one, promises=(self.id,)) for one in declared if one.check in self.checks]
        return mine if {one.check for one in mine} == self.checks else []

    def versions(self, versions: Sequence[ScheduleVersion]) -> tuple[ScheduleVersion, ...]:
        """The schedule as far as it covers it."""
        return tuple(self._of(one) for one in versions)

    def _of(self, version: ScheduleVersion) -> ScheduleVersion:
        mine = tuple(replace(one, promises=(self.id,)) for one in version.checks if one.check in self.checks)
        return replace(version, checks=mine if {one.check for one in mine} == self.checks else ())
