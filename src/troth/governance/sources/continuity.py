"""Backups and drills, as the log of the operators has them: no place is asked, so that none can hold a page up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from troth.backup.backups import DRILLED, VERIFIED, Event
from troth.backup.drill import PASSED, UNKNOWN
from troth.backup.verifying import MADE
from troth.governance.looking import DAY_MS
from troth.governance.sources.port import Kept, day, moment, named
from troth.vault.rights.clocks import Calendar

History = Callable[[str], Sequence[Event]]  # the newest entries of an operation, newest first
_MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class BackupSets:
    """Each backup that the log remembers, and when it was last verified by reading it back."""

    history: History
    keep_days: int
    of_service: bool = True

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """The newest ones; those that are older than backups are kept are over."""
        read: dict[tuple[str, str], int] = {}
        for one in self.history(VERIFIED):
            read.setdefault((one.backup, str(one.facts.get("digest"))), one.at)
        over = now - self.keep_days * DAY_MS
        return [_set(one, read.get((one.backup, str(one.facts.get("digest")))), over) for one in self.history(MADE)]


@dataclass(frozen=True, slots=True)
class Drills:
    """Each time that a backup was brought back for trial. `wanted`: minutes of data that may be lost."""

    history: History
    wanted: int
    of_service: bool = True

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """The newest ones. One that failed is replaced by a later one that passed; one that found nothing to try to
        tell by is unclear."""
        found, again = [], False
        for one in self.history(DRILLED):  # newest first
            passed = one.facts.get("state") == PASSED
            state = "done" if passed else "unclear" if one.facts.get("state") == UNKNOWN else "failed"
            found.append(self._drill(one, ("replaced" if again else "done") if state == "failed" else state, home))
            again = again or passed
        return found

    def _drill(self, one: Event, state: str, home: Calendar) -> Kept:
        counts = _counts(one)
        return Kept(
            named("drl", one.backup, str(one.at)),
            state,
            one.at,
            {
                "held_on": day(one.at, home),
                "passed": one.facts.get("state") == PASSED,
                "minutes": _minutes(counts.get("rto_ms")),
                "lost": _minutes(counts.get("rpo_ms")),
                "lost_wanted": self.wanted,
            },
        )


def _set(one: Event, verified: int | None, over: int) -> Kept:
    counts = _counts(one)
    return Kept(
        named("bak", one.backup),
        "kept" if one.at > over else "expired",
        one.at,
        {
            "made": moment(one.at),
            "complete": one.facts.get("state") == "complete",
            "places": counts.get("places"),
            "domains": counts.get("failure-domains"),
            "verified": moment(verified),
            "digest": one.facts.get("digest"),
        },
    )


def _counts(one: Event) -> dict[str, Any]:
    found = one.facts.get("counts")
    return found if isinstance(found, dict) else {}


def _minutes(ms: Any) -> int | None:
    """Whole minutes, the next one begun: never less than it took."""
    return -(-ms // _MINUTE) if isinstance(ms, int) else None
