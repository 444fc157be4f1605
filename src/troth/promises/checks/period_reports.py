"""The promise that controls work over a whole period: its report tells every look, each time the same (GOV-11)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from troth.kernel.clock import epoch_ms
from troth.kernel.errors import IntegrityError, Unavailable
from troth.promises import store
from troth.promises.check import Check, Facts, counted
from troth.promises.period.building import DAY_MS, Gathered, Placed, report_of
from troth.promises.period.columns import Stretch
from troth.promises.period.gathering import Sources, gather
from troth.promises.period.report import Gap, PeriodReport
from troth.promises.schedule import Planned, ScheduleVersion, checks_of
from troth.promises.status import Period
from troth.promises.store import Head, Tally
from troth.promises.system import Base, System
from troth.promises.tallies import OPERATION, root_of
from troth.storage.database import Database

_HOUR = 3_600_000
_HOURS = 24
_MISSED = (7, 8)  # hours in which nobody looked
_FAILED = 15
_CODE = "a" * 64
_WAITS_MS = 600_000  # as long as the entry of a tally may wait for its place in the log


@dataclass(frozen=True, slots=True)
class _Kept:
    """The versions of the schedule as their rows have them; whether they hold, `scheduler` and the page say."""

    database: Database

    def versions(self) -> tuple[ScheduleVersion, ...]:
        """Every version, oldest first."""
        with self.database.read() as connection:
            kept = store.schedules(connection)
        return tuple(
            ScheduleVersion(one.version, one.logged_at, one.effective_at, checks_of(one.text), one.confirmed_by)
            for one in kept
        )


def _looked(system: System, population: int) -> Facts:
    """A made-up day, the second time with so many things looked at, and the newest day here that is over."""
    return counted([*_made_up(population), *_newest(system.base)])


def _made_up(population: int) -> list[bool]:
    """Hourly looks of a day: two in a row were missed, one found something. An edited one gives no report."""
    report, again = report_of(_day(1))[0], report_of(_day(population))[0]
    (one,) = report.checks
    edited = _day(1)
    chain = edited.chains["made-up"][0]
    spoilt = replace(edited, chains={"made-up": (replace(chain, result=["pass"] * len(chain.at)),)})
    gap = Gap(_MISSED[0] * _HOUR, (_MISSED[-1] + 1) * _HOUR, len(_MISSED))
    return [
        report.digest == again.digest,
        (one.expected, one.done, one.missed) == (_HOURS, _HOURS - len(_MISSED), len(_MISSED)),
        one.gaps == (gap,),
        [(found.outcome, found.opened) for found in one.episodes] == [("fail", _FAILED * _HOUR + 1)],
        _broken(spoilt),
    ]


def _broken(gathered: Gathered) -> bool:
    try:
        report_of(gathered)
    except IntegrityError as error:
        return error.code == "period-broken"
    return False


def _day(population: int) -> Gathered:
    hours = [hour for hour in range(_HOURS) if hour not in _MISSED]
    count = len(hours)
    runs = Stretch(
        "made-up",
        1,
        "",
        [hour * _HOUR for hour in hours],
        [hour * _HOUR + 1 for hour in hours],
        ["fail" if hour == _FAILED else "pass" for hour in hours],
        ["fail"] * count,
        [population] * count,
        [1] * count,
        ["{}"] * count,
        [_CODE] * count,
        [1] * count,
        [""] * count,
        [""] * count,
    )
    root = root_of({"made-up": Head(count, runs.links({count})[count], None, 0)})
    facts = {"period": "1970-01-01", "root": root, "counts": {"made-up": count}}
    leaf = json.dumps({"op": OPERATION, "time": DAY_MS + 300_000, "facts": facts}).encode()
    plan = Planned("made-up", ("GOV-11",), 3600, 7200, "made-up", "things", _CODE)
    version = ScheduleVersion(1, 0, 0, (plan,))
    return Gathered(Period(0, DAY_MS), {"made-up": (runs,)}, {}, (version,), (Placed(0, leaf, ()),), b"")


def _newest(base: Base) -> list[bool]:
    """The report of the newest day that has a tally, out of rows and log twice; nothing before the first."""
    with base.database.read() as connection:
        tally = store.newest_tally(connection)
    if tally is None:
        return []
    sources = Sources(base.database, base.reader, base.prover, _Kept(base.database), base.clock)
    try:
        first, again = (report_of(gather(sources, _of(tally)))[0] for _ in range(2))
    except Unavailable:  # its entry waits for its place, or there is none
        return [] if 0 <= epoch_ms(base.clock.now()) - tally.at < _WAITS_MS else [False]
    except IntegrityError:  # rows are not what the log tells of
        return [False]
    return [first.digest == again.digest, _adds_up(first)]


def _of(tally: Tally) -> Period:
    start = round(datetime.fromisoformat(f"{tally.day}T00:00:00+00:00").timestamp() * 1000)
    return Period(start, start + DAY_MS)


def _adds_up(report: PeriodReport) -> bool:
    """Every look that was missed is in a gap, and each check has as many as were expected."""
    return all(
        one.expected == one.done + one.missed and one.missed == sum(gap.slots for gap in one.gaps)
        for one in report.checks
    )


CHECKS = (
    Check(
        "period-reports",
        ("GOV-11",),
        "The report of a made-up day must count two missed looks as a gap and one failure as an episode, refuse an "
        "edited run, and come to the same digest twice; so must that of the newest day here which is over. It says "
        "that periods are told whole, not that an auditor attested one.",
        lambda system: _looked(system, 1),
        lambda system: _looked(system, 2),
        every=6 * 3600,
        population="duties of a made-up day's report, and of the newest one",
        scope="period reports of this installation",
    ),
)
