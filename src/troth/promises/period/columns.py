"""The runs of a check as columns: one list for each member, so that half a year of them is a small file. Pure.

Links are not in it: they are computed again from the columns, and the tallies in the log say what they must come to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from troth.promises.runs import details_digest

FORM = "troth-run-columns-v1"
_HEAD = "troth-run-v1"
_NONE = "-"
# Members that seldom change from one run to the next, in the order in which a file has them.
STEADY = ("result", "control", "population", "tested", "details", "code", "schedule", "system", "clock")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Runs of one check that follow one another without a hole; the first has sequence `first` and `previous`.

    All columns have one length. `slot` and `at` in epoch milliseconds, `details` as JSON text ("{}" for none).
    """

    check: str
    first: int
    previous: str
    slot: Sequence[int | None]
    at: Sequence[int]
    result: Sequence[str]
    control: Sequence[str]
    population: Sequence[int]
    tested: Sequence[int]
    details: Sequence[str]
    code: Sequence[str]
    schedule: Sequence[int]
    system: Sequence[str]
    clock: Sequence[str]

    @property
    def last(self) -> int:
        """The sequence of the last run."""
        return self.first + len(self.at) - 1

    def links(self, wanted: Container[int]) -> dict[int, str]:
        """The links of the runs whose sequence is `wanted`, and of the last (docs/reference/check-runs.md)."""
        found, before, check, number = {}, self.previous or _NONE, self.check, self.first
        sha256 = hashlib.sha256
        rows = zip(
            self.slot,
            self.at,
            self.result,
            self.control,
            self.population,
            self.tested,
            self.details,
            self.code,
            self.schedule,
            self.system,
            self.clock,
            strict=True,
        )
        for slot, at, result, control, population, tested, details, code, schedule, system, clock in rows:
            text = (
                f"{_HEAD}\n{check}\n{number}\n{_NONE if slot is None else slot}\n{at}\n{result}\n{control}\n"
                f"{population}\n{tested}\n{_digest(details)}\n{code}\n{schedule}\n{system or _NONE}\n"
                f"{clock or _NONE}\n{before}\n"
            )
            before = sha256(text.encode()).hexdigest()
            if number in wanted:
                found[number] = before
            number += 1
        return {**found, number - 1: before} if self.at else found


def encoded(check: str, stretches: Sequence[Stretch]) -> bytes:
    """The file of a check: canonical JSON."""
    told = {"form": FORM, "check": check, "stretches": [_stretch(one) for one in stretches]}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()  # tokens and integers


def _stretch(one: Stretch) -> dict[str, Any]:
    """Steady columns as [value, times]; slots as steps from the slot before; `at` from the slot or the run before."""
    steady = {name: _repeated(getattr(one, name)) for name in STEADY}
    steady["details"] = [[json.loads(value), times] for value, times in steady["details"]]
    return {
        "first": one.first,
        "previous": one.previous,
        "slot": _repeated(_steps(one.slot)),
        "at": list(_offsets(one.slot, one.at)),
        **steady,
    }


def _repeated(values: Iterable[Any]) -> list[list[Any]]:
    return [[value, sum(1 for _ in same)] for value, same in groupby(values)]


def _steps(slots: Sequence[int | None]) -> Iterable[int | None]:
    before = 0
    for slot in slots:
        if slot is None:
            yield None
        else:
            yield slot - before
            before = slot


def _offsets(slots: Sequence[int | None], ats: Sequence[int]) -> Iterable[int]:
    before = 0
    for slot, at in zip(slots, ats, strict=True):
        yield at - (before if slot is None else slot)
        before = at


@lru_cache(maxsize=65_536)
def _digest_of_details(text: str) -> str:
    return details_digest(json.loads(text))


def _digest(details: str) -> str:
    return _NONE if details in ("", "{}") else _digest_of_details(details)
