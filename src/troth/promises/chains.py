"""The runs of a year, kept thin: as few of each chain as a bar of months needs, and every one of them held. Pure.

Fifty hourly runs in a row that all passed say no more than the first and the last of them, where these are near enough
that no gap hides between. The same holds of runs that all could not look, or all found nothing set up: no exception
excuses these. Whatever failed is kept as it is, and so are the runs beside it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from troth.promises.check import Result
from troth.promises.reading import EDITED, GAP
from troth.promises.runs import Run
from troth.promises.schedule import ScheduleVersion, spans
from troth.promises.status import SLACK_MS, Evidence, verdict

_REMEMBERED = 64  # links of the newest runs, by which the log holds the whole chain

Place = tuple[int, str]
"""A sequence and its link; (0, "") before the first run."""


@dataclass(frozen=True, slots=True)
class Part:
    """Runs of one check between two places of its chain, as few as are needed; the first and the last are there."""

    behind: Place
    last: Place
    runs: tuple[Run, ...]


@dataclass(slots=True)
class Chain:
    """One chain as it was read so far. `codes`: from when on (epoch ms) the schedule names which code of the check;
    `fresh`: the shortest time, in ms, after which its evidence was ever stale; `told`: how many runs each tally in the
    log counts, and when it was written (epoch ms).
    """

    check: str
    codes: Sequence[tuple[int, str]]
    fresh: int
    told: tuple[Sequence[int], Sequence[int]] = ((), ())
    kept: list[Evidence] = field(default_factory=list)
    links: dict[int, str] = field(default_factory=dict)
    last: Run | None = None
    broken: bool = False  # some row does not hang on the one before it, or is not as it was written
    _reached: int = 0  # the newest time of a run (epoch ms); what says less came late
    _says: tuple[Result | None, Result | None] = (None, None)  # what the last two that are kept have in common

    @property
    def end(self) -> Place:
        """Where it ends, as its rows say."""
        return (0, "") if self.last is None else (self.last.sequence, self.links.get(self.last.sequence, ""))

    def take(self, run: Run, link: str) -> None:
        """Append the next run, whose row says `link`."""
        planned = self._planned(run.at)
        flaw = self._flaw(run, link)
        says = None if flaw else self._said(run, planned)
        self._append(self._dated(run, planned, flaw), says, link)

    def join(self, part: Part) -> None:
        """Append runs that were held before: they stand in the chain where the part says."""
        flaw = "" if self.last is None or part.behind == self.end else GAP
        for run in part.runs:
            planned = self._planned(run.at)
            says = None if flaw else self._said(run, planned)
            self._append(self._dated(run, planned, flaw), says, part.last[1] if run is part.runs[-1] else "")
            flaw = ""

    def begun_by(self, time: int) -> None:
        """All runs from before `time` (epoch ms) on were taken: what begins behind it begins with the first of all."""
        first = self.kept[0] if self.kept else None
        if first and not first.flaw and first.run.sequence != 1 and first.run.at > time:
            self.kept[0], self.broken = replace(first, flaw=GAP), True

    def same(self, other: Chain) -> bool:
        """True when both were read of the same runs: links that hold, and lead to the same, are of the same."""
        if self.broken or other.broken:
            return self.kept == other.kept
        shorter, longer = sorted((self, other), key=lambda one: one.end[0])
        sequence, link = shorter.end
        return longer.links.get(sequence, link) == link

    def _append(self, one: Evidence, says: Result | None, link: str) -> None:
        run = one.run
        if says and self._says == (says, says) and run.at - self.kept[-2].run.at <= self.fresh:
            self.kept.pop()
        else:
            if self._says[1]:
                self.kept[-1] = _thin(self.kept[-1])
            self._says = (self._says[1], says)
        self.kept.append(one)
        self.last, self.broken = run, self.broken or bool(one.flaw)
        if link:
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
        sequence, before = self.end
        return "" if (run.sequence, run.previous) == (sequence + 1, before) else GAP

    def _said(self, run: Run, planned: str) -> Result | None:
        """What a run shows of which two beside each other say all that is between; None for every other run."""
        late, self._reached = run.at < self._reached, max(self._reached, 0 if run.clock else run.at)
        late = late or run.at < self._since(run) - SLACK_MS
        if run.digest != planned or run.clock or late:
            return None
        said = verdict(run)
        return None if said is Result.FAIL else said

    def _dated(self, run: Run, planned: str, flaw: str) -> Evidence:
        since = self._since(run)
        return Evidence(run, planned, flaw, since if run.at < since - SLACK_MS else 0)

    def _since(self, run: Run) -> int:
        """When the newest tally was written that does not count this run; 0 when there is none."""
        counts, times = self.told
        place = bisect_left(counts, run.sequence)
        return times[place - 1] if place else 0

    def _planned(self, at: int) -> str:
        place = bisect_right(self.codes, at, key=lambda one: one[0])
        return self.codes[place - 1][1] if place else ""


def _thin(one: Evidence) -> Evidence:
    """A run that passed, without what is not asked of it again: those of a year are held in memory."""
    run = one.run
    if not run.request:  # it is bare already
        return one
    bare = Run(run.check, run.at, run.result, run.control, 0, 0, one.planned, sequence=run.sequence)
    return Evidence(bare, one.planned)


def codes_of(versions: Sequence[ScheduleVersion]) -> dict[str, list[tuple[int, str]]]:
    """From when on which code of each check is planned; nothing where a version does not name it."""
    found: dict[str, list[tuple[int, str]]] = {}
    for version, start, _ in spans(versions):
        planned = {one.check: one.code for one in version.checks}
        for check in found.keys() | planned.keys():
            found.setdefault(check, []).append((start, planned.get(check, "")))
    return found


def shortest(versions: Sequence[ScheduleVersion], check: str) -> int:
    """The shortest time, in ms, after which its evidence was ever stale by a schedule."""
    planned = [one.fresh for version in versions for one in version.checks if one.check == check]
    return min(planned, default=0) * 1000
