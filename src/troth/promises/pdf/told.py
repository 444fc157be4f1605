"""What the paper says, as plain JSON data: texts are made fit for print here, and typeset elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from troth.kernel.clock import iso
from troth.promises.oscal.assessed import Assessed, Observed
from troth.promises.period.report import Change, PeriodReport
from troth.promises.status import State

_MEANS = {
    State.KEPT: "Fresh evidence shows it, and the known-bad fixture failed as it must.",
    State.EXCEPTION: "Broken, and excused for a time by two people.",
    State.NOT_KEPT: "A check found it broken.",
    State.UNKNOWN: "Nothing fresh shows it. That is not a yes.",
    State.NOT_CONFIGURED: "What it speaks of is not set up here.",
}
_READING = (
    "This paper is a copy for reading. What proves it is the bundle of the same period: its runs, its schedule and its "
    "log are checked offline, without trust in who made them. A promise is as good as the worst of its checks; a check "
    "that did not run, could not look, or could not have failed counts as unknown."
)
# What the typeface has. Anything else stands as its number, for a sign that cannot be printed must not vanish.
_UNPRINTED = re.compile(
    r"[^ -~\u00a1-\u00ac\u00ae-\u017f\u0391-\u03a9\u03b1-\u03c9\u0410-\u044f\u2010-\u2014\u2018-\u201e\u2026]"
)
_MOST = 1200  # characters of one text


def printed(text: str) -> str:
    """A text in one line whose every sign can be printed; others as [U+4E2D]. At most 1,200 characters."""
    spoken = " ".join(text.split())
    short = spoken if len(spoken) <= _MOST else f"{spoken[:_MOST]}…"
    return _UNPRINTED.sub(lambda found: f"[U+{ord(found[0]):04X}]", short)


def told(what: Assessed, report: PeriodReport | None = None) -> dict[str, Any]:
    """The data of the paper: of a moment, or with the report of a period."""
    counted = Counter(one.state for one in what.found)
    statements = {one.id: one.statement for one in what.promises}
    by = {one.check: one for one in what.observed}
    return {
        "title": "Report on the promises",
        "origin": printed(what.origin),
        "system": printed(what.system),
        "until": _day(what.end),
        "about": _about(what),
        "counts": [{"state": one.value, "count": counted[one.value], "meaning": _MEANS[one]} for one in State],
        "totals": None if report is None else _totals(report),
        "open": [
            {"id": one.id, "state": one.state, "reason": printed(one.reason)}
            for one in what.found
            if one.state in (State.NOT_KEPT.value, State.EXCEPTION.value)
        ],
        "waivers": [
            {
                "promise": one.id,
                "ends": _day(excuse.ends),
                "reason": printed(excuse.reason),
                "compensating": printed(excuse.compensating),
            }
            for one in what.found
            for excuse in one.excuses
        ],
        "promises": [
            {"id": one.id, "statement": printed(statements.get(one.id, "")), "state": one.state} for one in what.found
        ],
        "checks": [_check(one.check, by.get(one.check)) for one in what.checks],
        "failures": [
            {"check": printed(one.check), "opened": _time(opened), "closed": _time(closed) if closed else "still open"}
            for one in what.observed
            for opened, closed in one.failures
        ],
        "changes": _changes(() if report is None else report.changes),
        "reading": _READING,
    }


def _about(what: Assessed) -> str:
    if what.start == what.end:
        return f"What the newest evidence shows at {_time(what.end)}."
    return f"From {_time(what.start)} up to {_time(what.end)}."


def _totals(report: PeriodReport) -> dict[str, int]:
    named = {"expected": report.expected, "done": report.done, "missed": report.missed}
    return {**named, "untold": len(report.untold)}


def _check(name: str, seen: Observed | None) -> dict[str, str]:
    counts = {} if seen is None else seen.counts
    told = {one: str(counts[one]) if one in counts else "" for one in ("expected", "done", "missed")}
    said = "never run" if seen is None else seen.verdict
    failed = "" if seen is None or "expected" not in counts else str(len(seen.failures))
    return {"check": printed(name), "says": said, "failed": failed, **told}


def _changes(changes: Sequence[Change]) -> list[dict[str, str]]:
    return [
        {
            "at": _time(one.at),
            "check": printed(one.check),
            "change": printed(one.change),
            "by": printed(one.confirmed_by),
        }
        for one in changes
    ]


def _time(at: int) -> str:
    return f"{iso(at)[:16].replace('T', ' ')} UTC"


def _day(at: int) -> str:
    return iso(at)[:10]
