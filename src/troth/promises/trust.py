"""What strangers may ask about the paper in force: the whole of it, one promise, and what changed. Some seconds old."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from troth.kernel.caller import Connection, anonymous
from troth.kernel.errors import IntegrityError, Unavailable
from troth.kernel.operation import Call, Group, Route, operation
from troth.promises.history import DAY_MS, History, days, first_day, in_months
from troth.promises.own_promises import histories, named_twice, standings
from troth.promises.paper.binding import Paper
from troth.promises.paper.changes import Change
from troth.promises.paper.publishing import Papers, standing, state_of
from troth.promises.paper.store import Head
from troth.promises.paper_operations import PaperShown, shown
from troth.promises.past import Past
from troth.promises.runner import Runner
from troth.promises.standings import Standings
from troth.promises.status import Period, State
from troth.promises.trust_view import AnnouncedShown, CertificateOnRecord, Taken, TrustShown, briefs, counts, sentences
from troth.promises.turns import taken

_FRESH_SECONDS = 5.0
_FEED_SECONDS = 60.0
MOST_CHANGES = 100  # days and papers of the feed, the newest
_MOST_TAKEN = 20  # that the page names of a version to come
_STRANGER = anonymous(Connection(None, "in-process"))


class ShowTrust(BaseModel):
    """A request without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TurnShown(BaseModel):
    """A promise that stood otherwise on a day than on the day before."""

    model_config = ConfigDict(frozen=True)

    promise: str
    before: str
    after: str


class ChangeOfTrust(BaseModel):
    """What changed at a time (epoch ms): promises over a day that is over, or a version of the paper."""

    model_config = ConfigDict(frozen=True)

    id: str
    at: int
    title: str
    turns: tuple[TurnShown, ...] = ()
    paper: PaperShown | None = None


class ChangesOfTrust(BaseModel):
    """What changed, the newest first. `address`: where this installation is for the public."""

    model_config = ConfigDict(frozen=True)

    address: str
    changes: tuple[ChangeOfTrust, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """What is asked for the page. `address`: where this installation is for the public, `https://` and its name.
    `certificates`: those of the house that two people checked; `regions`: where sub-processors get data now."""

    papers: Papers
    runner: Runner
    standings: Standings
    past: Past
    jurisdiction: str
    address: str
    certificates: Callable[[], Sequence[CertificateOnRecord]] = tuple
    regions: Callable[[], Sequence[str]] = tuple


@dataclass
class _Kept:
    """The last answers, and when they were made."""

    view: tuple[float, TrustShown] | None = None
    feed: tuple[float, ChangesOfTrust] | None = None
    viewing: threading.Lock = field(default_factory=threading.Lock)
    feeding: threading.Lock = field(default_factory=threading.Lock)


class TrustOperations:
    """The trust page and its feed."""

    def __init__(self, sources: Sources, *, fresh: float = _FRESH_SECONDS, feed: float = _FEED_SECONDS) -> None:
        self._of = sources
        self._fresh = fresh
        self._feed = feed
        self._kept = _Kept()

    @operation("trust.show", group=Group.PUBLIC, request=ShowTrust, route=Route("GET", "/v1/trust", body="none"))
    def show(self, _call: Call, _request: ShowTrust) -> TrustShown:
        """The paper in force, with a state beside each sentence and what it rests on; at most five seconds old."""
        with taken(self._kept.viewing):  # strangers ask
            if self._kept.view is None or time.monotonic() - self._kept.view[0] >= self._fresh:
                view = self._view()
                self._kept.view = (time.monotonic(), view)  # from its end: a slow one is made once for all who wait
            return self._kept.view[1]

    @operation("trust.changes", group=Group.PUBLIC, request=ShowTrust,
               route=Route("GET", "/v1/trust-changes", body="none"))  # fmt: skip
    def changes(self, _call: Call, _request: ShowTrust) -> ChangesOfTrust:
        """What changed: states of promises day by day, and versions of the paper; at most a minute old."""
        with taken(self._kept.feeding):
            if self._kept.feed is None or time.monotonic() - self._kept.feed[0] >= self._feed:
                feed = self._changes()
                self._kept.feed = (time.monotonic(), feed)
            return self._kept.feed[1]

    def _view(self) -> TrustShown:
        papers, now = self._of.papers, self._of.papers.now()
        heads = papers.heads()
        current, paper = self._current(heads, now)
        bars = self._bars(paper, heads, now)
        months = tuple(one.month for one in in_months("", _bare(now)).months) if bars is not None else ()
        rows, twice = standings(self._of.standings.now(), paper, self._of.runner, now), named_twice(paper)
        known = briefs(rows, {one: bar for one, bar in (bars or {}).items() if one not in twice}, months)
        certificates = tuple(self._of.certificates())
        certified = [one.standard for one in certificates if one.word == "certified"]
        today = datetime.fromtimestamp(now / 1000, UTC).date()
        lines = sentences(paper, known, certified, today) if paper else ()
        carried = {one for line in lines for one in line.carries}
        states = [one.state for one in lines if one.state] if paper else [one.state for one in known.values()]
        return TrustShown(
            at=now,
            paper=_public(current, heads, now) if current else None,
            broken=paper is None and current is not None,
            markdown=paper is not None and paper.layout == "markdown",
            announced=tuple(self._announced(current, heads, now)),
            counts=counts(states),
            history=bars is not None,
            months=months,
            sentences=lines,
            promises=tuple(one for one in known.values() if not paper or one.id in carried),
            certificates=certificates,
            jurisdiction=self._of.jurisdiction,
            regions=tuple(self._of.regions()),
        )

    def _current(self, heads: Sequence[Head], now: int) -> tuple[Head | None, Paper | None]:
        head = self._of.papers.in_force(now)
        if head is None or head not in heads:
            return None, None
        try:
            return head, self._of.papers.opened(head)[1]
        except IntegrityError:
            return head, None

    def _announced(self, current: Head | None, heads: Sequence[Head], now: int) -> Iterator[AnnouncedShown]:
        """Versions to come with what they take back; one that is not what was approved is not shown."""
        busy = False
        for one in standing(heads, now):
            if one == current:
                continue
            with suppress(IntegrityError):
                self._of.papers.opened(one)
                found: Sequence[Change] = ()
                try:
                    found = self._of.papers.changes(current, one) if current and not busy else ()
                except Unavailable:  # strangers compare others: the page waits for its turn once
                    busy = True
                taken = [Taken(promise=it.promise, kind=it.kind, says=it.says) for it in found if it.takes]
                told = _public(one, heads, now).model_dump() | {"compared": not busy}
                yield AnnouncedShown(**told, takes=tuple(taken[:_MOST_TAKEN]), more=len(taken[_MOST_TAKEN:]))

    def _bars(self, paper: Paper | None, heads: Sequence[Head], now: int) -> dict[str, History] | None:
        try:
            return self._of.past.bars() | histories(paper, heads, self._of.papers, self._of.past, now)
        except Unavailable:
            return None

    def _changes(self) -> ChangesOfTrust:
        now, heads = self._of.papers.now(), self._of.papers.heads()
        found = papers_told(heads, now)
        with suppress(Unavailable):  # papers alone, while the runs of a year are read
            found += _turns(self._of.past.settled())
        newest = sorted(found, key=lambda one: (-one.at, one.id))[:MOST_CHANGES]
        return ChangesOfTrust(address=self._of.address, changes=tuple(newest))


def _bare(now: int) -> list[tuple[Period, State]]:
    """The days of the bars, for the names of their months."""
    return [(day, State.UNKNOWN) for day in days(first_day(now), now)]


def _public(head: Head, heads: Sequence[Head], now: int) -> PaperShown:
    return shown(head, state_of(head, heads, now), _STRANGER)


def papers_told(heads: Sequence[Head], now: int) -> list[ChangeOfTrust]:
    """What the feed says of versions: each that was approved."""
    return [_of_paper(one, heads, now) for one in heads if one.approved_at is not None]


def _of_paper(head: Head, heads: Sequence[Head], now: int) -> ChangeOfTrust:
    title = f"Paper {head.paper}, version {head.version}"
    paper = _public(head, heads, now)
    return ChangeOfTrust(id=f"paper-{head.number}", at=head.approved_at or 0, title=title, paper=paper)


def _turns(settled: dict[str, dict[int, State]]) -> list[ChangeOfTrust]:
    """Day by day, which promises stood otherwise than on the day before."""
    turned: dict[int, list[TurnShown]] = {}
    for promise, states in settled.items():
        for before, after in pairwise(sorted(states)):
            if states[before] is not states[after]:
                turn = TurnShown(promise=promise, before=states[before].value, after=states[after].value)
                turned.setdefault(after, []).append(turn)
    return [
        ChangeOfTrust(id=f"day-{day // DAY_MS}", at=day + DAY_MS, title=_counted(turns), turns=tuple(turns))
        for day, turns in turned.items()
    ]


def _counted(turns: Sequence[TurnShown]) -> str:
    if len(turns) == 1:
        return f"{turns[0].promise}: {turns[0].after}, was {turns[0].before}"
    return f"{len(turns)} promises stand otherwise"
