"""Periods made up for tests and benchmarks: runs of checks by a schedule, their tallies, and a log that has them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

import rfc8785

from log_world import TestKey
from troth.audit import merkle
from troth.audit.checkpoint import Checkpoint, signed
from troth.audit.merkle import Frontier, leaf_hash
from troth.audit.note import VerifierKey
from troth.audit.verify import Trust
from troth.promises.period.building import DAY_MS, Gathered, Placed, report_of
from troth.promises.period.bundle import packed
from troth.promises.period.columns import Stretch
from troth.promises.period.report import RegisterEvent
from troth.promises.schedule import Planned, ScheduleVersion, digest_of, slots, text_of
from troth.promises.status import Period
from troth.promises.waiving import Waiver

START = 1_772_323_200_000  # 2026-03-01, midnight UTC
HOUR = 3_600_000
ORIGIN = "troth.test/log/operator"
_CHECKS = ("CRY-01", "CRY-02", "ACC-01", "AUD-01", "DEL-01", "TRN-01")


@dataclass(frozen=True)
class Ran:
    """A run before it has its place: what a test may change of it."""

    slot: int | None
    at: int
    result: str = "pass"
    control: str = "fail"
    clock: str = ""
    details: str = "{}"
    written: int | None = None  # when it came into the log; None: at once


Bend = Callable[[str, list[Ran]], list[Ran]]


@dataclass
class PeriodWorld:
    """`checks` hourly checks over `days` days, with two days before them and one after. `bend` changes their runs."""

    checks: int = 4
    days: int = 4
    seed: int = 1
    every: int = 3600
    bend: Bend = lambda _check, runs: runs
    before: int = 2  # days of runs before the period; 0: the installation began with it
    changed: bool = True  # a second version of the schedule in the middle, with other code of the first check
    waivers: tuple[Waiver, ...] = ()
    key: TestKey = field(default_factory=TestKey)

    def __post_init__(self) -> None:
        self.period = Period(START, START + self.days * DAY_MS)
        self.began = START - self.before * DAY_MS
        self.names = [f"check-{number:03}" for number in range(self.checks)]
        first = ScheduleVersion(1, self.began, self.began, tuple(self._plan(one, "a") for one in self.names))
        self.versions: tuple[ScheduleVersion, ...] = (first,)
        if self.changed:
            at = START + self.days * DAY_MS // 2 + HOUR // 2
            plans = tuple(self._plan(one, "b" if one == self.names[0] else "a") for one in self.names)
            self.versions = (first, ScheduleVersion(2, at, at + 60_000, plans, "usr_operator"))

    def _plan(self, check: str, code: str) -> Planned:
        promise = _CHECKS[int(check[-3:]) % len(_CHECKS)]
        return Planned(check, (promise,), self.every, 4 * self.every, "installation", "things", code * 64)

    def gathered(self) -> Gathered:
        """What a report is made of."""
        moments = range(self.began + DAY_MS, self.period.end + 1, DAY_MS)
        tallies = [moment + 300_000 for moment in moments]
        chains, counts, links = {}, {}, {}
        for check in self.names:
            runs = self.bend(check, self._runs(check, tallies[-1]))
            whole = self._stretch(check, runs)
            counts[check] = [sum(1 for run in runs if (run.written or run.at) < moment) for moment in tallies]
            links[check] = whole.links(set(counts[check]))
            chains[check] = whole
        opening = max((place for place, moment in enumerate(tallies) if moment <= START), default=None)
        facts = [
            self._tally(
                moment, {check: (counts[check][place], links[check]) for check in self.names if counts[check][place]}
            )
            for place, moment in enumerate(tallies)
        ]
        first = 0 if opening is None else opening
        entries, checkpoint = self._log(facts[first:])
        heads = (
            {}
            if opening is None
            else {check: (counts[check][opening], links[check][counts[check][opening]]) for check in self.names}
        )
        cut = {
            check: (_cut(one, heads.get(check, (0, ""))[0], counts[check][-1], heads.get(check, (0, ""))[1]),)
            for check, one in chains.items()
        }
        events = (RegisterEvent("risks", "rec_1", 1, START, "open", "1" * 64, ""),
                  RegisterEvent("risks", "rec_1", 2, START + 5, "accept", "2" * 64, "1" * 64))  # fmt: skip
        return Gathered(self.period, cut, heads, self.versions, entries, checkpoint, {}, self.waivers, events)

    def bundle(self) -> tuple[bytes, dict[str, bytes]]:
        """The ZIP file and what is in it but for the page."""
        gathered = self.gathered()
        report, files = report_of(gathered)
        told = {"made_at": self.period.end + DAY_MS, "period": {"start": START, "end": self.period.end}}
        assert report.missed >= 0
        return packed(files, told, self.key), files

    @property
    def trust(self) -> Trust:
        """Of whoever believes the key."""
        return Trust(VerifierKey(ORIGIN, self.key.public_key))

    @property
    def signers(self) -> dict[str, bytes]:
        return {self.key.name: self.key.public_key}

    def _runs(self, check: str, end: int) -> list[Ran]:
        dice = random.Random(f"{self.seed}-{check}")
        return [
            Ran(slot, slot + dice.randrange(1000, 30_000))
            for slot in slots(self.versions, check, self.began, end - 60_000)
        ]

    def _stretch(self, check: str, runs: Sequence[Ran]) -> Stretch:
        versions = [next(v for v in reversed(self.versions) if v.starts <= max(one.at, self.began)) for one in runs]
        plans = {one.version: one.plan(check) for one in self.versions}
        return Stretch(
            check,
            1,
            "",
            [one.slot for one in runs],
            [one.at for one in runs],
            [one.result for one in runs],
            [one.control for one in runs],
            [7 + number // 40 for number in range(len(runs))],
            [7] * len(runs),
            [one.details for one in runs],
            [plan.code if (plan := plans[one.version]) else "" for one in versions],
            [one.version for one in versions],
            ["troth-test"] * len(runs),
            [one.clock for one in runs],
        )

    def _tally(self, moment: int, heads: Mapping[str, tuple[int, Mapping[int, str]]]) -> bytes:
        tree = Frontier()
        for check, (count, known) in sorted(heads.items()):
            tree.append(leaf_hash(f"{check} {count} {known[count]}".encode()))
        day = datetime.fromtimestamp((moment - DAY_MS) / 1000, UTC).strftime("%Y-%m-%d")
        counts = {check: count for check, (count, _) in heads.items()}
        return _leaf("check.tally", moment, {"period": day, "root": tree.root().hex(), "counts": counts})

    def _log(self, tallies: Sequence[bytes]) -> tuple[tuple[Placed, ...], bytes]:
        """A log in which other entries stand between those that the report needs."""
        told = []
        for one in self.versions:
            facts = {"digest": digest_of(text_of(one.checks)), "version": one.version, "count": len(one.checks)}
            by = one.confirmed_by or "svc_promises"
            told.append(_leaf("check.scheduled", one.logged_at, {**facts, "since": one.effective_at}, by))
        wanted = sorted([*told, *tallies], key=lambda leaf: int(json.loads(leaf)["time"]))
        leaves = [leaf for one in wanted for leaf in (_leaf("object.open", 0, {}), one)]
        node = _nodes([leaf_hash(one) for one in leaves])
        checkpoint = Checkpoint(ORIGIN, len(leaves), merkle.root(node, len(leaves)))
        key = VerifierKey(ORIGIN, self.key.public_key)
        note = signed(checkpoint, key, self.key.sign(checkpoint.text().encode()))
        placed = [
            Placed(index, leaf, tuple(merkle.inclusion(node, index, len(leaves))))
            for index, leaf in enumerate(leaves)
            if index % 2
        ]
        return tuple(placed), note


def _cut(one: Stretch, opened: int, closed: int, previous: str) -> Stretch:
    """The runs behind the opening tally, up to the one that closes."""
    names = "slot at result control population tested details code schedule system clock".split()
    columns = {name: getattr(one, name)[opened:closed] for name in names}
    return replace(one, first=opened + 1, previous=previous, **columns)


def _leaf(operation: str, time: int, facts: Mapping[str, object], actor: str = "svc_promises") -> bytes:
    return rfc8785.dumps(
        {"log": "operator", "op": operation, "phase": "event", "request": "run_1", "actor": actor, "time": time,
         "outcome": "done", "facts": dict(facts)}  # type: ignore[dict-item]
    )  # fmt: skip


def _nodes(hashes: Sequence[bytes]) -> merkle.NodeReader:
    @cache
    def node(height: int, position: int) -> bytes:
        if height == 0:
            return hashes[position]
        return merkle.node_hash(node(height - 1, 2 * position), node(height - 1, 2 * position + 1))

    return node
