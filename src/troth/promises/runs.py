"""One run of a check: what it says, how it is linked to the run before it, and the statement that is signed of it.

Pure. The link is lines of text, not JSON: half a year of runs is linked again in seconds, in any language.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from troth.kernel.clock import iso
from troth.promises.check import Result

_HEAD = "troth-run-v1"
_NONE = "-"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:troth:check-run:v1"
SUMMARY = "https://in-toto.io/attestation/svr/v0.1"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one check: what the system showed and what the known-bad fixture showed.

    `sequence` counts the runs of a check from 1; `slot` is the beginning of the slot of the schedule that it fills,
    in epoch milliseconds, or None for a run by hand. `previous` is the link of the run before it. `schedule` is the
    version in force, `clock` what the clock was marked with ("off"), `system` the version of the software.
    """

    check: str
    at: int  # milliseconds since the epoch
    result: Result
    control: Result
    population: int
    tested: int
    digest: str  # of the check's code
    request: str = ""  # the audit record that tells of it
    sequence: int = 0
    slot: int | None = None
    previous: str = ""
    details: Mapping[str, int] = field(default_factory=dict)
    schedule: int = 0
    system: str = ""
    clock: str = ""

    @property
    def link(self) -> str:
        """SHA-256 in hex over everything that a run says, and the link of the run before it."""
        return link(self)


def link(run: Run) -> str:
    """The link of a run: SHA-256 over `troth-run-v1` and fourteen lines; see docs/reference/check-runs.md."""
    lines = (
        _HEAD,
        run.check,
        str(run.sequence),
        _NONE if run.slot is None else str(run.slot),
        str(run.at),
        run.result.value,
        run.control.value,
        str(run.population),
        str(run.tested),
        details_digest(run.details) if run.details else _NONE,
        run.digest,
        str(run.schedule),
        run.system or _NONE,
        run.clock or _NONE,
        run.previous or _NONE,
    )
    return hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest()


def details_digest(details: Mapping[str, int]) -> str:
    """SHA-256 in hex over `name=count` lines, in order of names."""
    return hashlib.sha256("".join(f"{name}={details[name]}\n" for name in sorted(details)).encode()).hexdigest()


def statement(run: Run) -> dict[str, Any]:
    """The in-toto Statement v1 of a run; its subject is the link."""
    return _about(run, PREDICATE, _predicate(run))


def summary(run: Run, verifier: str) -> dict[str, Any]:
    """The same in a word, as in-toto's Simple Verification Result v0.1; without properties unless it passed."""
    passed = run.result is Result.PASS and run.control is Result.FAIL and not run.clock
    properties = ["TROTH_CHECK_PASSED"] if passed else []
    told = {"verifier": {"id": verifier}, "timeCreated": iso(run.at), "properties": properties}
    return _about(run, SUMMARY, told)


def as_text(details: Mapping[str, int]) -> str:
    """The further counts of a run as they are kept: JSON in order of names."""
    return json.dumps(dict(details), sort_keys=True, separators=(",", ":"))


def _about(run: Run, kind: str, predicate: dict[str, Any]) -> dict[str, Any]:
    subject = [{"name": f"{run.check}#{run.sequence}", "digest": {"sha256": run.link}}]
    return {"_type": STATEMENT, "subject": subject, "predicateType": kind, "predicate": predicate}


def _predicate(run: Run) -> dict[str, Any]:
    return {
        "check": run.check,
        "sequence": run.sequence,
        "slot": run.slot,
        "at": run.at,
        "result": run.result.value,
        "control": run.control.value,
        "population": run.population,
        "tested": run.tested,
        "details": dict(run.details),
        "code": run.digest,
        "schedule": run.schedule,
        "system": run.system,
        "clock": run.clock or None,
        "previous": run.previous or None,
        "record": run.request,
    }
