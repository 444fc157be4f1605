"""Who is told of what is due, and when: before it, on its day, while it is overdue, and then a higher role. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from troth.governance.dues import Due
from troth.governance.looking import DAY_MS

Stage = Literal["soon", "due", "overdue", "lapsed", "escalated"]
ESCALATE_DAYS: Final = 7  # after it was due, where the form names no time of its own
ESCALATE_TO: Final = "owner"
_AGAIN_MS: Final = 7 * DAY_MS  # while it stays overdue
_MOST_AGAIN: Final = 8  # weeks; who was told nine times knows it, and the page stays red


@dataclass(frozen=True, slots=True)
class Notice:
    """That a role is to be told of something that is due. `since`: from when on it was to be told (epoch ms)."""

    due: Due
    stage: Stage
    since: int
    role: str

    def id(self, tenant: str) -> str:
        """The same for the same notice, whoever makes it and however often."""
        one = self.due
        parts = (tenant, one.form, one.record, one.name, one.person or "", str(one.at), self.stage, str(self.since))
        return f"rem_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:40]}"


def notices(due: Due, now: int) -> Iterator[Notice]:
    """What is to be told by now: of the stages that passed only the last one, beside it the lapse and the escalation.

    That something lapsed is told once, however late the telling comes, and in its first week in place of `overdue`.
    """
    lapsed = due.state == "lapsed" and due.lapse is not None and now >= due.grace_until
    if lapsed:
        yield Notice(due, "lapsed", due.grace_until, due.by)
    last = _stage(due, now)
    if last is not None and not (lapsed and last[1] == due.grace_until):
        yield Notice(due, *last, due.by)
    at, role = due.escalate_at, due.escalate_to
    if at is None or role is None:
        at, role = due.grace_until + ESCALATE_DAYS * DAY_MS, ESCALATE_TO
    if now >= at and due.state in ("overdue", "lapsed"):
        yield Notice(due, "escalated", at, role)


def _stage(due: Due, now: int) -> tuple[Stage, int] | None:
    if now >= due.grace_until:
        times = min((now - due.grace_until) // _AGAIN_MS, _MOST_AGAIN)
        return "overdue", due.grace_until + times * _AGAIN_MS
    if now >= due.at - DAY_MS:
        return "due", due.at - DAY_MS
    passed = [moment for moment in due.remind if moment <= now]
    return ("soon", max(passed)) if passed else None
