"""Makes the report of a period, and the files that it rests on, out of what was gathered. Pure: same in, same out."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import rfc8785

from troth.audit.merkle import Frontier, leaf_hash
from troth.kernel.errors import IntegrityError
from troth.promises.period.columns import Stretch, encoded
from troth.promises.period.figures import Looked, Told, look, promises, spans
from troth.promises.period.report import Change, PeriodReport, RegisterEvent, Version
from troth.promises.schedule import Planned, ScheduleVersion, digest_of, text_of
from troth.promises.status import Period
from troth.promises.tallies import OPERATION as TALLY
from troth.promises.waiving import Waiver

DAY_MS = 86_400_000
HEADS, WAIVERS, REGISTERS, LOG, REPORT = "heads.json", "waivers.json", "registers.json", "log.json", "report.json"
_MEMBERS = ("promises", "every", "fresh", "scope", "population", "code")


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry of the operator's log: its index, its bytes, and the way from it to the root of the checkpoint."""

    index: int
    leaf: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a report is made of.

    `chains`: the runs of each check, from behind the opening tally (or the first ever) to the one that closes the
    period. `opening`: sequence and link of each check at the opening tally; empty when there was none. `holes`: links
    of runs that a tally names and whose rows are gone. `entries`: tallies, schedules and changes, in their order.
    """

    period: Period
    chains: Mapping[str, Sequence[Stretch]]
    opening: Mapping[str, tuple[int, str]]
    versions: tuple[ScheduleVersion, ...]
    entries: tuple[Placed, ...]
    checkpoint: bytes
    holes: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    events: tuple[RegisterEvent, ...] = ()


def report_of(gathered: Gathered) -> tuple[PeriodReport, dict[str, bytes]]:
    """The report, and the files it rests on by name. Raises `IntegrityError` (period-broken) for runs that are not what
    the log tells of.
    """
    period, tallies = gathered.period, list(_tallies(gathered.entries))
    _require_roots(gathered, tallies)
    looked = {check: _looked(gathered, check, tallies) for check in sorted(_planned(gathered))}
    days = {tally["facts"]["period"] for tally in tallies}
    files = _files(gathered)
    report = PeriodReport(
        period,
        str(tallies[-1]["facts"]["root"]),
        tuple(one.figures for one in looked.values()),
        tuple(promises(looked, gathered.waivers)),
        tuple(_versions(gathered)),
        tuple(_changes(gathered)),
        gathered.waivers,
        len(gathered.events),
        tuple(day for day in _days(period) if day not in days),
        {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    )
    log: dict[str, Any] = {
        "checkpoint": gathered.checkpoint.decode(),
        "entries": [
            {
                "index": one.index,
                "leaf": one.leaf.decode(),
                "path": [base64.b64encode(node).decode() for node in one.path],
            }
            for one in gathered.entries
        ],
    }
    return report, files | {LOG: rfc8785.dumps(log), REPORT: report.text()}


def _tallies(entries: Sequence[Placed]) -> Iterator[dict[str, Any]]:
    for one in entries:
        members: dict[str, Any] = json.loads(one.leaf)
        if members["op"] == TALLY:
            yield members


def _planned(gathered: Gathered) -> set[str]:
    period = gathered.period
    return {
        one.check
        for version, start, end in spans(gathered.versions)
        if start < period.end and end > period.start
        for one in version.checks
    }


def _looked(gathered: Gathered, check: str, tallies: Sequence[Mapping[str, Any]]) -> Looked:
    told = [Told(int(one["time"]), int(one["facts"]["counts"].get(check, 0))) for one in tallies]
    return look(check, gathered.chains.get(check, ()), gathered.versions, told, gathered.period)


def _require_roots(gathered: Gathered, tallies: Sequence[Mapping[str, Any]]) -> None:
    counted: dict[str, set[int]] = {}
    for tally in tallies:
        for check, sequence in tally["facts"]["counts"].items():
            counted.setdefault(check, set()).add(sequence)
    links = {check: _links(gathered, check, wanted) for check, wanted in counted.items()}
    for tally in tallies:
        tree, facts = Frontier(), tally["facts"]
        for check, sequence in sorted(facts["counts"].items()):
            tree.append(leaf_hash(f"{check} {sequence} {links[check].get(sequence, '')}".encode()))
        if tree.root().hex() != facts["root"]:
            raise _broken(str(facts["period"]))


def _links(gathered: Gathered, check: str, wanted: set[int]) -> dict[int, str]:
    found = dict([gathered.opening[check]] if check in gathered.opening else [])
    found.update(gathered.holes.get(check, {}))
    for one in gathered.chains.get(check, ()):
        found.update(one.links(wanted))
    return found


def _files(gathered: Gathered) -> dict[str, bytes]:
    runs = {f"runs/{check}.json": encoded(check, some) for check, some in gathered.chains.items() if some}
    texts = [text_of(one.checks) for one in gathered.versions]
    heads: dict[str, Any] = {
        "opening": {check: list(head) for check, head in gathered.opening.items()},
        "holes": {
            check: {str(number): link for number, link in some.items()} for check, some in gathered.holes.items()
        },
    }
    return {
        **runs,
        **{f"schedules/{digest_of(text)}.json": text.encode() for text in texts},
        HEADS: rfc8785.dumps(heads),
        WAIVERS: rfc8785.dumps([asdict(one) for one in gathered.waivers]),
        REGISTERS: rfc8785.dumps([asdict(one) for one in gathered.events]),
    }


def _versions(gathered: Gathered) -> Iterator[Version]:
    for one, start, end in spans(gathered.versions):
        if start < gathered.period.end and end > gathered.period.start:
            yield Version(one.version, digest_of(text_of(one.checks)), start, len(one.checks), one.confirmed_by)


def _changes(gathered: Gathered) -> Iterator[Change]:
    """What each version that began in the period has otherwise than the one before it."""
    before: ScheduleVersion | None = None
    for one, start, _ in spans(gathered.versions):
        if before is not None and gathered.period.start <= start < gathered.period.end:
            for check in sorted({plan.check for plan in (*before.checks, *one.checks)}):
                old, new = before.plan(check), one.plan(check)
                if old != new:
                    first, second = (plan.code if plan else "" for plan in (old, new))
                    yield Change(start, one.version, check, _change(old, new), first, second, one.confirmed_by)
        before = one


def _change(old: Planned | None, new: Planned | None) -> str:
    if old is None or new is None:
        return "added" if old is None else "dropped"
    return " ".join(name for name in _MEMBERS if getattr(old, name) != getattr(new, name))


def _days(period: Period) -> Iterator[str]:
    for moment in range(period.start, period.end, DAY_MS):
        yield datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d")


def _broken(day: str) -> IntegrityError:
    return IntegrityError(
        f"The runs up to {day} are not those that the log tells of; `troth promises` says which check it is.",
        code="period-broken",
    )
