"""Reads the columns of a bundle again and links every run anew, with code that the service never runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from troth.kernel.errors import IntegrityError

MOST_RUNS = 2_000_000  # in one file
_MOST = 1 << 53  # no number of a file is as large: JSON of other languages would round it
_STEADY = ("result", "control", "population", "tested", "details", "code", "schedule", "system", "clock")
_WHOLE = frozenset(("population", "tested", "schedule"))

Run = tuple[int, int | None, int, str, str, str, str]
"""Sequence, slot, at, result, control, code, clock."""


@dataclass(slots=True)
class Chain:
    """The runs of a check in their order, the links of those that a tally names, and the versions that they name."""

    check: str
    runs: list[Run] = field(default_factory=list)
    links: dict[int, str] = field(default_factory=dict)
    versions: set[int] = field(default_factory=set)
    first: int = 0
    previous: str = ""


def chain_of(name: str, content: bytes, check: str, wanted: set[int]) -> Chain:
    """The chain in a file. Raises `IntegrityError` (period-runs) naming file and run."""
    chain = Chain(check)
    try:
        told = json.loads(content)
        if json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != content:
            raise IntegrityError(f"{name}: it is not canonical JSON.", code="period-runs")
        if (told["form"], told["check"]) != ("troth-run-columns-v1", check) or not told["stretches"]:
            raise ValueError
        for stretch in told["stretches"]:
            _append(chain, stretch, wanted)
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        at = f" behind run {chain.runs[-1][0]}" if chain.runs else ""
        raise IntegrityError(f"{name}: the columns{at} cannot be read.", code="period-runs") from error
    return chain


def _append(chain: Chain, stretch: dict[str, Any], wanted: set[int]) -> None:
    number, previous, ats = stretch["first"], stretch["previous"], stretch["at"]
    last = chain.runs[-1][0] if chain.runs else 0
    if not _whole(number) or number <= last or not isinstance(previous, str) or not ats:
        raise ValueError
    if len(ats) + len(chain.runs) > MOST_RUNS or not all(map(_whole, ats)):
        raise ValueError
    if not chain.runs:
        chain.first, chain.previous = number, previous
    count = len(ats)
    steps = _slots(stretch["slot"], count)
    columns = [_steady(name, stretch[name], count) for name in _STEADY]
    chain.versions.update(columns[6])
    linked = previous or "-"
    time = 0
    for slot, offset, *members in zip(steps, ats, *columns, strict=True):
        time = offset + (time if slot is None else slot)
        result, control, population, tested, details, code, schedule, system, clock = members
        body = [chain.check, number, "-" if slot is None else slot, time, result, control, population, tested]
        body += [details, code, schedule, system or "-", clock or "-", linked]
        linked = hashlib.sha256(("troth-run-v1\n" + "\n".join(map(str, body)) + "\n").encode()).hexdigest()
        if number in wanted:
            chain.links[number] = linked
        chain.runs.append((number, slot, time, result, control, code, clock))
        number += 1
    chain.links[number - 1] = linked


def _repeated(pairs: list[Any], count: int) -> Iterator[Any]:
    left = count
    for value, times in pairs:
        if type(times) is not int or not 0 < times <= left:
            raise ValueError
        left -= times
        for _ in range(times):
            yield value
    if left:
        raise ValueError


def _slots(pairs: list[Any], count: int) -> list[int | None]:
    slot, found = 0, list[int | None]()
    for step in _repeated(pairs, count):
        if step is not None:
            if not _whole(step):
                raise ValueError
            slot += step
        found.append(None if step is None else slot)
    return found


def _steady(name: str, pairs: list[Any], count: int) -> list[Any]:
    kind: type = int if name in _WHOLE else dict if name == "details" else str
    if not all(_whole(value) if kind is int else type(value) is kind for value, _ in pairs):
        raise ValueError
    if name == "details":
        pairs = [(_digest(value), times) for value, times in pairs]
    return list(_repeated(pairs, count))


def _whole(value: object) -> bool:
    return type(value) is int and -_MOST < value < _MOST


def _digest(details: dict[str, Any]) -> str:
    """What stands in the link for further counts."""
    if not all(map(_whole, details.values())):
        raise ValueError
    text = "".join(f"{name}={value}\n" for name, value in sorted(details.items()))
    return hashlib.sha256(text.encode()).hexdigest() if details else "-"
