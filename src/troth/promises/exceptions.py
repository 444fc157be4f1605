"""Waivers out of the register of exceptions that the house keeps: what a second person agreed to, until its last day.

A record excuses every check of its promise that is of the part that its scope names (`Check.part`). All times are
taken at their strict side: it begins when its first day has begun everywhere in the jurisdiction and it was approved,
and is over when its last day is over somewhere, when it was withdrawn, or after 366 days. What cannot be read excuses
nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from datetime import time as midnight

from troth.governance.house import Named
from troth.governance.records import Record
from troth.governance.registers import Registers
from troth.kernel.errors import TrothError
from troth.kernel.scope import Scope, within
from troth.promises.check import Check
from troth.promises.waiving import LONGEST_DAYS, Waiver
from troth.vault.rights.clocks import Calendar

FORM = "exceptions"
_DAY_MS = 86_400_000


class Exceptions:
    """The waivers of the house. `house`: the tenant whose registers count, and since when, or None; `fresh`: for how
    many seconds an answer is given again.
    """

    def __init__(
        self,
        registers: Callable[[], Registers],
        house: Callable[[], Named | None],
        checks: Sequence[Check],
        *,
        fresh: float = 0.0,
    ) -> None:
        self._registers = registers
        self._house = house
        self._checks = tuple(checks)
        self._fresh = fresh
        self._lock = threading.Lock()
        self._last: tuple[float, tuple[Waiver, ...]] | None = None

    def waivers(self) -> tuple[Waiver, ...]:
        """Every waiver that there was, also of the past; none where no house is named or its register is broken."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] >= self._fresh:
                self._last = (time.monotonic(), self._read())
            return self._last[1]

    def _read(self) -> tuple[Waiver, ...]:
        house, registers = self._house(), self._registers()
        if house is None or house.since is None:
            return ()
        try:
            with within(Scope(house.tenant)):
                records = registers.records(house.tenant, FORM)
        except TrothError:  # broken or sealed for good: nothing is excused by what nobody can read
            return ()
        return waivers_of(records, self._checks, registers.home, since=house.since)


def waivers_of(
    records: Iterable[Record], checks: Sequence[Check], home: Calendar, *, since: int = 0
) -> tuple[Waiver, ...]:
    """What these records excuse: one waiver for each check of the promise that is of their part.

    What was approved before `since` (epoch ms) excuses nothing: the tenant was not the house then.
    """
    return tuple(
        waiver
        for record in records
        for check in checks
        if (waiver := _waiver(record, check, home)) is not None and waiver.valid and record.done["approve"].at >= since
    )


def _waiver(record: Record, check: Check, home: Calendar) -> Waiver | None:
    approved, opened = record.done.get("approve"), record.done.get("open")
    starts, ends = record.values.get("starts"), record.values.get("ends")
    asked = str(record.raw.get("asked_by") or "")
    named = (record.raw.get("promise") in check.promises, record.raw.get("scope") == check.part)
    if approved is None or opened is None or not isinstance(starts, date) or not isinstance(ends, date):
        return None
    if not all(named) or approved.actor in (asked, opened.actor):
        return None
    first = max(_begins(starts, home), approved.at)
    withdrawn = record.done.get("withdraw")
    last = min(_ms(home.end(ends)), first + LONGEST_DAYS * _DAY_MS, *([withdrawn.at] if withdrawn else []))
    return Waiver(
        id=record.id,
        promise=str(record.raw["promise"]),
        scope=check.id,
        reason=str(record.raw.get("reason") or ""),
        compensating=str(record.raw.get("instead") or ""),
        asked_by=asked,
        approved_by=approved.actor,
        starts=first,
        ends=last,
    )


def _begins(day: date, home: Calendar) -> int:
    """When a day has begun where it begins last."""
    return _ms(datetime.combine(day, midnight(), UTC) - home.west)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
