"""Waivers: a promise that is not kept for a while, known to a second person, said where the promise is. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_DAYS = 366
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Waiver:
    """An approved exception. `scope` is the one check that it excuses; times in epoch milliseconds.

    It ends by the time alone. `asked_by` and `approved_by` are ids of two people.
    """

    id: str
    promise: str
    scope: str
    reason: str
    compensating: str
    asked_by: str
    approved_by: str
    starts: int
    ends: int

    def excuses(self, promise: str, check: str, moment: int) -> bool:
        """True when it excuses that check of that promise at that moment."""
        return self.valid and (self.promise, self.scope) == (promise, check) and self.starts <= moment < self.ends

    @property
    def valid(self) -> bool:
        """Approved by somebody else than who asked, with a reason, and not for longer than a year."""
        two = bool(self.asked_by) and bool(self.approved_by) and self.asked_by != self.approved_by
        return two and bool(self.reason.strip()) and 0 < self.ends - self.starts <= LONGEST_DAYS * _DAY_MS
