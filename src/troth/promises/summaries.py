"""What the runs of each day come to, kept thin and signed: a year of bars is read in a second, not in a minute.

A cache and no more. The truth are the runs and the log: a summary lies between two tallies, names the newest link of
each check then, and counts only while these links come to the root that the log's own entry of the tally has, and our
signature holds. Where one does not count, the rows of its day are read. Each is made of rows that all hang together.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.kernel.errors import IntegrityError
from troth.kernel.scope import as_system
from troth.kernel.signer import Signer
from troth.promises.chains import Chain, Part, codes_of, shortest
from troth.promises.check import Result
from troth.promises.run_log import RunLog
from troth.promises.runs import STATEMENT, Run
from troth.promises.schedule import ScheduleVersion
from troth.promises.store import Head, Tally, check_day, check_run, linked, newest_tally, tallies
from troth.promises.tallies import root_of
from troth.storage.database import Database
from troth.vault.dsse import IN_TOTO, sign_envelope, verify_envelope

PREDICATE = "urn:troth:check-day:v1"
_FORM = "troth-check-day-v1"
_ODD_SECONDS = 3600.0  # between two looks at a day whose runs do not hang together
_RESULTS = {one.value: one for one in Result}

Versions = Callable[[], tuple[ScheduleVersion, ...]]


@dataclass(frozen=True, slots=True)
class Window:
    """The runs from behind one tally up to the next: how many each check had had before and after, and their parts;
    None when they must be read from their rows.
    """

    tally: Tally
    before: Mapping[str, int]
    parts: Mapping[str, Part] | None


class Summaries:
    """Reads and makes the summaries of days. `signer` signs them, and its key alone is believed."""

    def __init__(self, database: Database, log: RunLog, versions: Versions, signer: Signer) -> None:
        self._database = database
        self._log = log
        self._versions = versions
        self._signer = signer
        self._looked: dict[str, float] = {}  # until when nothing is to be made, after which newest tally
        self._odd: dict[str, float] = {}  # monotonic: when a day is looked at again whose runs do not hang together

    @as_system
    def windows(self, since: int) -> list[Window]:
        """The windows that end after `since` (epoch ms), oldest first, up to the newest tally."""
        with self._database.read() as connection:
            known = tallies(connection)
            first = next((place for place, one in enumerate(known) if one.at > since), len(known))
            wanted = select(check_day).where(check_day.c.day >= known[first].day) if known[first:] else None
            rows = connection.execute(wanted).all() if wanted is not None else []
        kept = {row.day: (row.text, row.envelope) for row in rows}
        told = self._log.tallied({one.request for one in known[first:] if one.day in kept})
        befores = [{}, *(one.counts for one in known)]
        return [
            Window(one, befores[place], self._parts(one, befores[place], told, kept.get(one.day)))
            for place, one in enumerate(known[first:], first)
        ]

    @as_system
    def make(self, since: int, seconds: float) -> int:
        """Make summaries of days that have none which counts, for so long at most; how many it made."""
        now, count = time.monotonic(), 0
        with self._database.read() as connection:
            newest = newest_tally(connection)
        if newest is None or (self._looked.get(newest.day, 0.0) > now):
            return 0
        missing = (one for one in self.windows(since) if one.parts is None)
        for window in missing:
            if self._odd.get(window.tally.day, 0.0) > now:
                continue
            if self._made(window):
                count += 1
            else:
                self._odd[window.tally.day] = now + _ODD_SECONDS
            if time.monotonic() > now + seconds:
                return count
        self._looked = {newest.day: now + _ODD_SECONDS}
        return count

    def _made(self, window: Window) -> bool:
        tally, versions = window.tally, self._versions()
        with self._database.read() as connection:
            parts = _read(connection, window, versions)
        told = self._log.tallied({tally.request}).get(tally.request)
        if parts is None or told != (root_of(_heads(parts)), tally.counts):
            return False
        text = _text(tally, parts)
        envelope = sign_envelope(_statement(tally, text), IN_TOTO, self._signer).decode()
        try:
            with self._database.write() as connection:
                connection.execute(delete(check_day).where(check_day.c.day == tally.day))
                connection.execute(insert(check_day).values(day=tally.day, text=text, envelope=envelope))
        except Duplicate:  # another process was first
            return False
        return True

    def _parts(
        self, tally: Tally, before: Mapping[str, int], told: Mapping[str, Any], kept: tuple[str, str] | None
    ) -> dict[str, Part] | None:
        """The parts of a summary, where it counts."""
        if kept is None:
            return None
        text, envelope = kept
        try:
            statement = verify_envelope(envelope.encode(), IN_TOTO, {self._signer.name: self._signer.public_key})
        except IntegrityError:
            return None
        if statement != _statement(tally, text):
            return None
        parts = _parts_of(json.loads(text))
        starts = {check: one.behind[0] for check, one in parts.items() if one.behind[0]}
        as_told = told.get(tally.request) == (root_of(_heads(parts)), tally.counts) and starts == before
        return parts if as_told else None


def _read(connection: Connection, window: Window, versions: Sequence[ScheduleVersion]) -> dict[str, Part] | None:
    """The parts of a window out of its rows; None where a row is missing or is not as it was written."""
    parts, codes = {}, codes_of(versions)
    for check, last in window.tally.counts.items():
        first = window.before.get(check, 0)
        chain, behind = Chain(check, codes.get(check, []), shortest(versions, check)), None
        which = (check_run.c.check_id == check, check_run.c.sequence.between(min(first + 1, last), last))
        for run, link in linked(connection, *which):
            behind = (run.sequence - 1, run.previous) if behind is None else behind
            chain.take(run, link)
        if chain.broken or behind is None or behind[0] != min(first, last - 1) or chain.end[0] != last:
            return None
        runs = tuple(one.run for one in chain.kept)
        parts[check] = Part(chain.end, chain.end, ()) if first == last else Part(behind, chain.end, runs)
    return parts


def _heads(parts: Mapping[str, Part]) -> dict[str, Head]:
    return {check: Head(*one.last, None, 0) for check, one in parts.items()}


def _statement(tally: Tally, text: str) -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {
        "_type": STATEMENT,
        "subject": [{"name": f"check-day-{tally.day}", "digest": {"sha256": digest}}],
        "predicateType": PREDICATE,
        "predicate": {"day": tally.day, "root": tally.root, "record": tally.request},
    }


def _text(tally: Tally, parts: Mapping[str, Part]) -> str:
    codes = sorted({run.digest for one in parts.values() for run in one.runs})
    places = {code: place for place, code in enumerate(codes)}
    told = {
        check: [
            *one.behind,
            *one.last,
            [
                [run.sequence, run.at, run.result.value, run.control.value, places[run.digest], run.clock]
                for run in one.runs
            ],
        ]
        for check, one in parts.items()
    }
    members = {"form": _FORM, "day": tally.day, "codes": codes, "checks": told}
    return json.dumps(members, sort_keys=True, separators=(",", ":"))


def _parts_of(told: Mapping[str, Any]) -> dict[str, Part]:
    codes, results = told["codes"], _RESULTS
    parts = {}
    for check, (first, behind, last, link, runs) in told["checks"].items():
        thin = tuple(
            Run(check, at, results[result], results[control], 0, 0, codes[code], "", number, clock=clock)
            for number, at, result, control, code, clock in runs
        )
        parts[check] = Part((first, behind), (last, link), thin)
    return parts
