"""One scan of what is installed against advisories: clean only when everything was looked at in a fresh list. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from troth.governance.looking import DAY_MS
from troth.governance.prepared.advisories import Advisories, Finding, Undecidable, findings
from troth.governance.prepared.sbom import Environment
from troth.kernel.errors import Invalid

FRESH_DAYS: Final = 7  # as the register of scans judges it
_AHEAD_MS: Final = 3_600_000  # a clock that is a little slow


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan saw. Times in epoch ms; `skipped`: packages of which nobody can tell.

    `wrong`: why it proves nothing, as tokens: no-components, skipped, stale, from-the-future.
    """

    at: int
    source: str
    as_of: int
    advisories: int
    components: int
    skipped: tuple[str, ...]
    found: tuple[Finding, ...]
    wrong: tuple[str, ...]

    @property
    def state(self) -> Literal["clean", "found", "error"]:
        """`error` before everything else: what was not looked at is never clean."""
        return "error" if self.wrong else "found" if self.found else "clean"


def scan(of: Environment, known: Advisories, now: int, fresh_days: int = FRESH_DAYS) -> Scan:
    """Look at every package of the environment."""
    found: list[Finding] = []
    skipped = ["?"] * of.unreadable
    for one in of.components:
        try:
            found += findings(one, known)
        except (Undecidable, Invalid):
            skipped.append(one.name)
    wrong = {
        "no-components": not of.components,
        "skipped": bool(skipped),
        "stale": now - known.as_of > fresh_days * DAY_MS,
        "from-the-future": known.as_of > now + _AHEAD_MS,
    }
    said = tuple(name for name, holds in wrong.items() if holds)
    count = len(of.components) + of.unreadable
    return Scan(now, known.source, known.as_of, known.count, count, tuple(skipped), tuple(found), said)
