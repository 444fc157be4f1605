"""Checks the bundle of a period as a stranger would: offline, with code that the service never runs.

Nothing of what makes reports is imported here (tests/architecture/test_verifier_alone.py lists all that is): columns,
links, expected slots, roots and figures are computed by `reread` and `recount` again. Everything raises
`IntegrityError`, naming the file, and the check or run where it can.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from troth.audit.checkpoint import Checkpoint
from troth.audit.signature_kinds import decode_base64
from troth.audit.verify import Trust, verify_inclusion
from troth.kernel.errors import IntegrityError, Malformed
from troth.promises.period.recount import Count, Plan, promised, recounted
from troth.promises.period.reread import Chain, chain_of
from troth.vault.dsse import IN_TOTO, verify_envelope

SIGNED = "period.json"
_PREDICATE = "urn:troth:period-bundle:v1"
_MAX_FILES, _MAX_BYTES = 5_000, 1 << 28
_BESIDE = frozenset(("README.txt", "verifier.html"))
_DAY = 86_400_000
_MEMBERS = ("promises", "every", "fresh", "scope", "population", "code")
_AHEAD = 60_000


@dataclass(frozen=True, slots=True)
class Held:
    """A bundle that holds: the report in it, how many runs were linked again, and under which checkpoint."""

    report: dict[str, Any]
    runs: int
    entries: int
    log: Checkpoint
    witnesses: tuple[str, ...]
    made_at: int


@dataclass(frozen=True, slots=True)
class _Log:
    """The entries of a bundle, each proven: tallies, versions of the schedule with their texts."""

    tallies: tuple[dict[str, Any], ...]
    versions: tuple[dict[str, Any], ...]
    count: int


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a bundle. Raises `IntegrityError` (period-shape) for what is no ZIP file, or too large."""
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > _MAX_FILES or sum(one.file_size for one in members) > _MAX_BYTES:
                raise _bad("The bundle", "it is larger than any that Troth makes.")
            for one in members:
                if one.filename in files or one.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
                    raise _bad(one.filename, "it stands in the bundle twice, or in a form that nobody wrote.")
                with archive.open(one) as member:
                    files[one.filename] = member.read(one.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        raise _bad("The bundle", "it cannot be read as it was written.") from error
    return files


def verify_period(files: Mapping[str, bytes], signers: Mapping[str, bytes], trust: Trust) -> Held:
    """Check every byte of a bundle. `signers`: name -> Ed25519 key of who signs documents; `trust`: of the log.

    Raises `IntegrityError` naming what does not hold.
    """
    told = _statement(files, signers)
    period = told["period"]["start"], told["period"]["end"]
    if not all(type(one) is int and one % _DAY == 0 for one in period) or period[0] >= period[1]:
        raise _bad(SIGNED, "it names no period.")
    checkpoint, log, note = _log(files, trust)
    with _within("log.json"):
        counted = _counted(log, period)
    chains = _chains(files, log, counted)
    _roots(files, log, chains, period)
    plans = _plans(log)
    waivers = _json(files, "waivers.json")
    with _within("waivers.json", "report.json"):
        counts = {check: _counts(log, check) for check in plans}
        checks = [
            recounted(check, chains[check].runs if check in chains else [], plans[check], counts[check], period)
            for check in sorted(plans)
            if any(one.start < period[1] and one.end > period[0] for one in plans[check])
        ]
        report = _report(files, log, period, checks, waivers)
    _compared(files["report.json"], report)
    runs = sum(len(one.runs) for one in chains.values())
    return Held(report, runs, log.count, checkpoint, trust.witnesses(note), told["made_at"])


def _statement(files: Mapping[str, bytes], signers: Mapping[str, bytes]) -> dict[str, Any]:
    with _within(SIGNED):
        statement = verify_envelope(files.get(SIGNED, b""), IN_TOTO, signers)
        named = {str(one["name"]): str(one["digest"]["sha256"]) for one in statement["subject"]}
        told: dict[str, Any] = statement["predicate"]
        if statement["predicateType"] != _PREDICATE or told["report"] != named["report.json"]:
            raise ValueError
        if not all(type(one) is int for one in (told["made_at"], told["period"]["start"], told["period"]["end"])):
            raise ValueError
    for name, digest in named.items():
        if name not in files:
            raise _bad(name, "it is missing.")
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise _bad(name, "it is not what was signed.")
    for name in files:
        if name != SIGNED and name not in named:
            raise _bad(name, "nobody signed it.")
    return told


def _log(files: Mapping[str, bytes], trust: Trust) -> tuple[Checkpoint, _Log, bytes]:
    """Every entry proven under one checkpoint of the operator's log. Times rise with places, but for clocks."""
    found = _json(files, "log.json")
    tallies: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []
    last, newest = -1, 0
    with _within("log.json"):
        note = str(found["checkpoint"]).encode()
        checkpoint = trust.witnessed(note)
        if not checkpoint.origin.endswith("/log/operator"):
            raise ValueError
        for one in found["entries"]:
            leaf, index = str(one["leaf"]).encode(), one["index"]
            path = [decode_base64(node, "period-proof") for node in one["path"]]
            verify_inclusion(checkpoint, index, hashlib.sha256(b"\x00" + leaf).digest(), path)
            members = json.loads(leaf)
            if type(index) is not int or index <= last or members["time"] < newest - _AHEAD:
                raise ValueError
            last, newest = index, max(newest, members["time"])
            if (members["log"], members["phase"]) != ("operator", "event"):
                raise ValueError
            kinds = {"check.tally": tallies, "check.scheduled": versions, "check.changed": []}
            kinds[members["op"]].append(members)
        return checkpoint, _Log(tuple(tallies), tuple(_texts(files, versions)), len(found["entries"])), note


def _texts(files: Mapping[str, bytes], entries: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The versions of the schedule with what they say, none left out between."""
    before = None
    for one in entries:
        facts = one["facts"]
        previous = facts.get("previous", facts["version"] - 1)
        if previous != before and (before is not None or previous < 0):
            raise _bad("log.json", f"version {previous} of the schedule is missing.")
        before = facts["version"]
        name = f"schedules/{facts['digest']}.json"
        if hashlib.sha256(files.get(name, b"")).hexdigest() != facts["digest"]:
            raise _bad(name, "it is not the schedule that the log tells of.")
        by = "" if one["actor"] == "svc_promises" else one["actor"]
        starts = max(one["time"], facts.get("since", one["time"]))
        checks = {check["check"]: check for check in json.loads(files[name])["checks"]}
        if any(check["every"] < 1 or type(check["every"]) is not int for check in checks.values()):
            raise _bad(name, "a check of it has no pace.")
        yield {**facts, "previous": previous, "starts": starts, "by": by, "checks": checks}


def _counted(log: _Log, period: tuple[int, int]) -> dict[str, set[int]]:
    """Which runs the tallies name. The first is the one before the period, if there was one; the last closes it."""
    if not log.tallies or not log.versions:
        raise _bad("log.json", "it has no tally or no schedule.")
    times = [one["time"] for one in log.tallies]
    if times != sorted(times) or len({one["facts"]["period"] for one in log.tallies}) != len(times):
        raise _bad("log.json", "its tallies are not in order.")
    if times[-1] < period[1] or any(one >= period[1] for one in times[:-1]) or any(t <= period[0] for t in times[1:]):
        raise _bad("log.json", "its tallies do not open and close the period.")
    first = log.versions[0]
    if first["previous"] != 0 and (times[0] > period[0] or first["starts"] > times[0]):
        raise _bad("log.json", f"version {first['previous']} of the schedule is missing.")
    return _wanted(log)


def _wanted(log: _Log) -> dict[str, set[int]]:
    wanted: dict[str, set[int]] = {}
    before: dict[str, int] = {}
    for one in log.tallies:
        counts: dict[str, int] = one["facts"]["counts"]
        if fewer := [check for check, number in before.items() if counts.get(check, 0) < number]:
            raise _bad("log.json", f"the runs of {fewer[0]} became fewer.")
        before = counts
        for check, number in counts.items():
            wanted.setdefault(check, set()).add(number)
    return wanted


def _chains(files: Mapping[str, bytes], log: _Log, counted: Mapping[str, set[int]]) -> dict[str, Chain]:
    names = {f"runs/{check}.json": check for check in counted}
    used = {f"schedules/{one['digest']}.json" for one in log.versions}
    known = {*names, *used, *_BESIDE, SIGNED, "report.json", "log.json", "heads.json", "waivers.json", "registers.json"}
    for name in files:
        if name not in known:
            raise _bad(name, "the report does not need it.")
    chains = {}
    for name, check in names.items():
        if name in files:
            chain = chains[check] = chain_of(name, files[name], check, counted[check])
            if chain.runs[-1][0] > max(counted[check]):
                raise _bad(name, f"run {chain.runs[-1][0]} is not in the tally that closes the period.")
            versions = {one["version"] for one in log.versions}
            if unknown := {one for one in chain.versions if one >= min(versions)} - versions:
                raise _bad(name, f"it names version {max(unknown)} of the schedule, which is missing.")
    return chains


def _roots(files: Mapping[str, bytes], log: _Log, chains: Mapping[str, Chain], period: tuple[int, int]) -> None:
    """Links come to the root of every tally, from where the tally before the period says that they stood."""
    heads = _json(files, "heads.json")
    with _within("heads.json"):
        opening = {check: (number, link) for check, (number, link) in heads["opening"].items()}
        holes = {check: {int(number): link for number, link in some.items()} for check, some in heads["holes"].items()}
        first = log.tallies[0]
        opened = first["facts"]["counts"] if first["time"] <= period[0] else {}
        if {check: number for check, (number, _) in opening.items()} != opened or not all(holes.values()):
            raise ValueError
    for check, chain in chains.items():
        number, link = opening.get(check, (0, ""))
        if chain.first <= number or (chain.first == number + 1 and chain.previous != link):
            raise _bad(f"runs/{check}.json", f"run {chain.first} does not follow the run before the period.")
        if set(holes.get(check, ())) & {one[0] for one in chain.runs}:
            raise _bad("heads.json", f"it names runs of {check} that are here.")
    for tally in log.tallies:
        leaves = []
        for check, number in sorted(tally["facts"]["counts"].items()):
            known = dict([opening[check]] if check in opening else []) | holes.get(check, {})
            link = known.get(number) or (chains[check].links.get(number) if check in chains else None)
            leaves.append(hashlib.sha256(f"\x00{check} {number} {link}".encode()).digest())
        if _root(leaves).hex() != tally["facts"]["root"]:
            raise _bad("runs", f"they are not those that the tally of {tally['facts']['period']} tells of.")


def _root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, for some hundred leaves."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def _spans(log: _Log) -> list[tuple[dict[str, Any], int, int]]:
    """Each version with the time in which it counted; one that was to begin after a later one never did."""
    found, until = [], 1 << 62
    for one in sorted(log.versions, key=lambda one: -one["version"]):
        if one["starts"] < until:
            found.append((one, one["starts"], until))
            until = one["starts"]
    return found[::-1]


def _plans(log: _Log) -> dict[str, list[Plan]]:
    plans: dict[str, list[Plan]] = {}
    for one, start, end in _spans(log):
        for check, told in one["checks"].items():
            plans.setdefault(check, []).append(Plan(told, start, end))
    return plans


def _counts(log: _Log, check: str) -> list[Count]:
    return [Count(one["time"], one["facts"]["counts"].get(check, 0)) for one in log.tallies]


def _report(
    files: Mapping[str, bytes], log: _Log, period: tuple[int, int], checks: Any, waivers: Any
) -> dict[str, Any]:
    """The report as it must be."""
    start, end = period
    spans = [(one, since) for one, since, until in _spans(log) if since < end and until > start]
    days = {one["facts"]["period"] for one in log.tallies}
    every = [datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d") for at in range(start, end, _DAY)]
    parts = [name for name in files if name.startswith(("runs/", "schedules/"))]
    parts += ["heads.json", "waivers.json", "registers.json"]
    told = [one for one, _, _ in checks]
    return {
        "form": "troth-period-report-v1",
        "period": {"start": start, "end": end},
        "root": log.tallies[-1]["facts"]["root"],
        "checks": told,
        "promises": promised(checks, waivers),
        "versions": [
            {
                "version": one["version"],
                "digest": one["digest"],
                "starts": since,
                "checks": len(one["checks"]),
                "confirmed_by": one["by"],
            }
            for one, since in spans
        ],
        "changes": list(_changes(log, period)),
        "waivers": waivers,
        "events": _events(files),
        "untold": [day for day in every if day not in days],
        "parts": {name: hashlib.sha256(files[name]).hexdigest() for name in parts},
        **{name: sum(one[name] for one in told) for name in ("expected", "done", "missed")},
    }


def _changes(log: _Log, period: tuple[int, int]) -> Iterator[dict[str, Any]]:
    spans = _spans(log)
    for place in range(1, len(spans)):
        (before, _, _), (after, start, _) = spans[place - 1], spans[place]
        for check in sorted({*before["checks"], *after["checks"]}) if period[0] <= start < period[1] else ():
            old, new = before["checks"].get(check), after["checks"].get(check)
            if old == new:
                continue
            what = "added" if old is None else "dropped"
            if old and new:
                what = " ".join(name for name in _MEMBERS if old[name] != new[name])
            codes = {"before": old["code"] if old else "", "after": new["code"] if new else ""}
            yield {"at": start, "version": after["version"], "check": check, "change": what, **codes} | {
                "confirmed_by": after["by"]
            }


def _events(files: Mapping[str, bytes]) -> int:
    """How many events of registers there are; each follows the one before it in its record."""
    found, heads = _json(files, "registers.json"), dict[tuple[str, str], tuple[int, str]]()
    with _within("registers.json"):
        for one in found:
            record = one["form"], one["record"]
            number, digest = heads.get(record, (one["sequence"] - 1, one["previous"]))
            if (one["sequence"], one["previous"]) != (number + 1, digest):
                raise _bad("registers.json", f"event {one['sequence']} of {one['record']} does not follow.")
            heads[record] = one["sequence"], one["digest"]
        return len(found)


def _compared(content: bytes, report: dict[str, Any]) -> None:
    if content == json.dumps(report, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode():
        return
    with _within("report.json"):
        told = json.loads(content)
        for name, value in report.items():
            if told.get(name) != value:
                pairs = zip(value, told[name], strict=False) if name == "checks" else ()
                wrong = ", ".join([one["check"] for one, two in pairs if one != two][:3])
                raise _bad("report.json", f"its {name} are not what the runs come to{wrong and ': '}{wrong}.")
    raise _bad("report.json", "it is not what the runs come to.")


def _json(files: Mapping[str, bytes], name: str) -> Any:
    """A file that is canonical JSON (RFC 8785): two readers could disagree about any other."""
    with _within(name):
        found = json.loads(files[name])
        if rfc8785.dumps(found) != files[name]:
            raise _bad(name, "it is not canonical JSON.")
        return found


@contextmanager
def _within(*names: str) -> Iterator[None]:
    """Names the file that cannot be read, or does not hold."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        raise _bad(names[0], "it cannot be read.") from error
    except (IntegrityError, Malformed) as error:
        if error.advice.startswith(names) or not error.code.startswith(
            ("envelope", "bad-", "period-proof", "unknown-")
        ):
            raise
        raise IntegrityError(f"{names[0]}: {error.advice}", code=error.code) from error


def _bad(name: str, what: str) -> IntegrityError:
    return IntegrityError(f"{name}: {what}", code="period-shape")
