"""The runs of a year, kept thin: as few of each chain as a bar of months needs, and every one of them held. Pure.

Fifty hourly runs in a row that all passed say no more than the first and the last of them, where these are near enough
that no gap hides between. Whatever did not pass is kept as it is, and so are the runs beside it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from troth.promises.check import Result
from troth.promises.reading import EDITED, GAP
from troth.promises.runs import Run
from troth.promises.status import Evidence, verdict

_REMEMBERED = 64  # links of the newest runs, by which the log holds the whole chain


@dataclass(slots=True)
class Chain:
    """One chain as it was read so far. `codes`: from when on (epoch ms) the schedule names which code of the check;
    `fresh`: the shortest time, in ms, after which its evidence was ever stale.
    """

    check: str
    codes: Sequence[tuple[int, str]]
    fresh: int
    kept: list[Evidence] = field(default_factory=list)
    links: dict[int, str] = field(default_factory=dict)
    last: Run | None = None
    broken: bool = False  # some row does not hang on the one before it, or is not as it was written
    _good: tuple[bool, bool] = (False, False)  # of the last two that are kept

    def take(self, run: Run, link: str) -> None:
        """Append the next run, whose row says `link`."""
        planned = self._planned(run.at)
        flaw = self._flaw(run, link)
        good = not flaw and self._passed(run, planned)
        if good and all(self._good) and run.at - self.kept[-2].run.at <= self.fresh:
            self.kept.pop()
        else:
            if self._good[1]:
                self.kept[-1] = _thin(self.kept[-1])
            self._good = (self._good[1], good)
        self.kept.append(Evidence(run, planned, flaw))
        self.last, self.broken = run, self.broken or bool(flaw)
        self.links[run.sequence] = link
        if len(self.links) > _REMEMBERED:
            del self.links[next(iter(self.links))]

    def evidence(self, newest: Evidence | None) -> tuple[Evidence, ...]:
        """The runs up to `newest`, the one that the log tells of; what is wrong with that one is wrong with all."""
        if newest is None:
            return ()
        told = newest.run
        flaw = newest.flaw or ("" if self.links.get(told.sequence) == told.link else EDITED)
        mine = [one for one in self.kept if one.run.sequence <= told.sequence]
        return tuple(replace(one, flaw=flaw) for one in mine) if flaw else tuple(mine)

    def _flaw(self, run: Run, link: str) -> str:
        if run.link != link:
            return EDITED
        if self.last is None:
            return ""
        before = self.links[self.last.sequence]
        return "" if (run.sequence, run.previous) == (self.last.sequence + 1, before) else GAP

    def _passed(self, run: Run, planned: str) -> bool:
        steady = self.last is None or run.at >= self.last.at
        return steady and run.digest == planned and not run.clock and verdict(run) is Result.PASS

    def _planned(self, at: int) -> str:
        place = bisect_right(self.codes, at, key=lambda one: one[0])
        return self.codes[place - 1][1] if place else ""


def _thin(one: Evidence) -> Evidence:
    """A run that passed, without what is not asked of it again: those of a year are held in memory."""
    run = one.run
    bare = Run(run.check, run.at, run.result, run.control, run.population, run.tested, one.planned)
    return Evidence(replace(bare, sequence=run.sequence), one.planned)
