"""Reviews of configuration (GOV-18): each quarter the system says what is set and what changed, people judge it.

What is set (permissions, network rules, storage policies) is kept as canonical JSON with the record of the review, and
so is the difference from the last review that was closed; the digests stand in the record's chain, and in the log. Only
`prepare` enters them, and whoever prepared or decided does not close: that is the form's own rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from troth.gateway.wire.upload import Upload
from troth.governance.attachments import PREPARED, Attachments
from troth.governance.moves import SNAPSHOT, By
from troth.governance.prepared.configuration import Change, Sections, canonical, changes, digests
from troth.governance.records import Record
from troth.governance.registers import Registers
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, IntegrityError
from troth.kernel.ids import new_id
from troth.kernel.scope import as_system

FORM: Final = "config-reviews"
SYSTEM_ACTOR: Final = "svc_configuration"
FOUND, CHANGED = "configuration.json", "changes.json"
_ROLES: Final = frozenset({"security-analyst"})
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class ConfigReviews:
    """Reviews of the house. `house`: its tenant, or None; `look`: what is set now, for that tenant."""

    registers: Registers
    attachments: Attachments
    house: Callable[[], str | None]
    look: Callable[[str], Sections]

    @as_system
    def run(self) -> bool:
        """Prepare the review of this quarter, if there is none; whether it did. For a job of any number of servers."""
        tenant = self.house()
        if tenant is None or not self._wanted(tenant):
            return False
        self.prepare(By(tenant, SYSTEM_ACTOR, None, _ROLES, new_id("req")))
        return True

    def prepare(self, by: By) -> Record:
        """Open a review, or take the one that somebody opened, with what is set now and what changed.

        Raises Conflict(not-the-house, already-prepared), Denied(wrong-role), and what `Registers.move` and
        `Attachments.attach` raise.
        """
        self._here(by)
        known = self.registers.records(by.tenant, FORM)
        waiting = [one for one in known if one.state == "open"]
        if any(one.raw.get("permissions") for one in waiting):
            raise Conflict("A review is open; close it or make it void first.", code="already-prepared")
        record = waiting[0] if waiting else self.registers.open(by, FORM, {})
        found, before, itself = self.look(by.tenant), self._last(by, known), replace(by, prepares=True)
        different = changes(before, found)
        for file, _ in self.attachments.all(by, FORM, record.id):  # of an attempt that was cut off
            if file.name in PREPARED:
                self.attachments.detach(itself, FORM, record.id, file.id)
        for name, content in ((FOUND, dict(found)), (CHANGED, [asdict(one) for one in different])):
            upload = Upload(filename=name, media_type=_JSON, content=canonical(content))
            self.attachments.attach(itself, FORM, record.id, upload)
        values = {**digests(found), "changes": len(different)}
        return self.registers.move(itself, FORM, record.id, SNAPSHOT, values=values)

    def changes(self, by: By, record: str) -> tuple[Change, ...]:
        """What changed since the review before, as the record has it.

        Raises as `Registers.show`; Conflict(not-now) for a review without it, IntegrityError(register-chain) when what
        is kept is not what the record says.
        """
        self._here(by)
        opened = self.registers.show(by, FORM, record).record
        found = self._file(by, opened, FOUND)
        different = [Change(**one) for one in self._file(by, opened, CHANGED) or ()]
        if found is None or not opened.raw.get("permissions"):
            raise Conflict("Nothing was prepared for this review; prepare it.", code="not-now")
        if not _prepared(opened, found) or len(different) != opened.raw.get("changes"):
            raise _forged()
        return tuple(different)

    def _wanted(self, tenant: str) -> bool:
        """Whether this quarter has no review yet, or one that was opened and not prepared."""
        known = [one for one in self.registers.records(tenant, FORM) if one.state != "void"]
        now = epoch_ms(self.registers.clock.now())
        if any(one.state == "open" for one in known):
            return not any(one.state == "open" and one.raw.get("permissions") for one in known)
        return all(self._quarter(one.opened_at) < self._quarter(now) for one in known)

    def _quarter(self, at: int) -> tuple[int, int]:
        day = self.registers.home.day(datetime.fromtimestamp(at / 1000, UTC))
        return day.year, (day.month - 1) // 3

    def _last(self, by: By, known: list[Record]) -> Sections:
        """What was set at the review that was closed last; nothing before the first one. Raises IntegrityError."""
        closed = [one for one in known if one.state == "closed"]
        last = max(closed, key=lambda one: (one.done["close"].at, one.id), default=None)
        found: Sections | None = None if last is None else self._file(by, last, FOUND)
        if last is None or found is None:  # all of it is then a change
            return {}
        if not _prepared(last, found):
            raise _forged()
        return found

    def _file(self, by: By, record: Record, name: str) -> Any:
        for file, here in self.attachments.all(by, FORM, record.id):
            if file.name == name and here:
                return json.loads(self.attachments.open(by, FORM, record.id, file.id)[1])
        return None

    def _here(self, by: By) -> None:
        if self.house() != by.tenant:
            raise Conflict("The configuration is reviewed by the house; ask an operator which that is.",
                           code="not-the-house")  # fmt: skip


def _prepared(record: Record, found: Sections) -> bool:
    """Whether what is kept is what the system entered in the record."""
    told = digests(found)
    return told == {name: record.raw.get(name) for name in told}


def _forged() -> IntegrityError:
    says = "What is kept of a review is not what its record says; restore it and look who changed it."
    return IntegrityError(says, code="register-chain")
