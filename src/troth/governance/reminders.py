"""Reminders: each stage of each thing that is due is told once, in one transaction with the letters that tell of it.

People get one letter for all that a round has for them; webhooks get all of it, in messages of a hundred.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from troth.governance.agenda import Agenda
from troth.governance.calendar import Calendar
from troth.governance.calendar_tables import deliveries, reminders
from troth.governance.deliveries import ACTOR, Deliveries, Letter, as_body, delivery_id, finished_before
from troth.governance.dues import Due
from troth.governance.escalation import Notice, notices
from troth.governance.looking import DAY_MS
from troth.governance.moves import By
from troth.governance.people import ACCOUNT
from troth.governance.tables import records
from troth.governance.webhooks import REMINDER
from troth.identity.store import users
from troth.kernel.errors import TrothError
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.kernel.scope import as_system
from troth.storage.database import Database
from troth.vault.tables import insert_missing

LAPSED: Final = "calendar.lapsed"
_ALL: Final = frozenset({"owner", "admin", "privacy-officer", "security-analyst", "auditor"})
_MOST: Final = 1_000  # new ones of a tenant in one round; the others come with the next
_IN_MESSAGE: Final = 100
_IN_LETTER: Final = 20
_KEPT_MS: Final = 400 * DAY_MS
_DELIVERIES_MS: Final = 90 * DAY_MS
_CHUNK: Final = 400


@dataclass(frozen=True, slots=True)
class Reminders:
    """Looks at every tenant. `people`: who holds a role of a tenant now; `hooks`: its webhooks; `recorder`: the log,
    which is told of what lapsed."""

    database: Database
    calendar: Calendar
    waiting: Deliveries
    tenants: Callable[[], Sequence[str]]
    people: Callable[[Connection, str, str], Sequence[str]]
    hooks: Callable[[Connection, str], Sequence[str]]
    recorder: Recorder

    @as_system
    def run(self) -> int:
        """One round over all tenants; how many reminders were put. For a job of any number of servers.

        Raises what the last tenant raised that could not be looked at (TrothError), when all others were.
        """
        put, failed = 0, None
        for tenant in self.tenants():
            try:
                put += self.round(tenant)
            except TrothError as error:
                failed = error
        now = self.calendar.now()
        with self.database.write() as connection:
            connection.execute(delete(reminders).where(reminders.c.put_at < now - _KEPT_MS))
            connection.execute(delete(deliveries).where(finished_before(now - _DELIVERIES_MS)))
        if failed is not None:
            raise failed
        return put

    def round(self, tenant: str) -> int:
        """What a tenant is to be told now and was not told yet."""
        now = self.calendar.now()
        found: Agenda = self.calendar.dues(By(tenant, ACTOR, None, _ALL, new_id("req")), now)
        told = {one.id(tenant): one for due in found.dues for one in notices(due, now)}
        with self.database.read() as connection:
            known = _known(connection, sorted(told))
        fresh = [(name, told[name]) for name in told if name not in known][:_MOST]
        if not fresh:
            return 0
        with self.database.write() as connection:
            mine = [one for name, one in fresh if insert_missing(connection, reminders, _row(tenant, name, one, now))]
            self._put(connection, tenant, mine, now)
            for one in mine:
                if one.stage == "lapsed":
                    self._record(connection, tenant, one.due, now)
        return len(mine)

    def _record(self, connection: Connection, tenant: str, due: Due, now: int) -> None:
        """What ended with the lapse ended at its moment, in whatever enforces it; here it is told, once."""
        facts: dict[str, Fact] = {"register": due.form, "object": due.record, "due": due.at, "state": due.state}
        facts["kinds"] = {str(due.lapse): 1}
        entry = Entry(
            log=tenant, operation=LAPSED, phase="event", outcome=Outcome.DONE, request=new_id("req"), actor=ACTOR,
            tenant=tenant, time=now, facts=facts,
        )  # fmt: skip
        self.recorder.record_within(connection, entry)

    def _put(self, connection: Connection, tenant: str, several: Sequence[Notice], now: int) -> None:
        """Letters for what this transaction put; another server that was first has its own."""
        for person, theirs in self._by_person(connection, tenant, several).items():
            body = as_body(REMINDER, now, {"dues": _shown(theirs[:_IN_LETTER]), "count": len(theirs)})
            self._letter(connection, tenant, ("mail", person), theirs, body=body, now=now)
        hooks = self.hooks(connection, tenant)
        for start in range(0, len(several) if hooks else 0, _IN_MESSAGE):
            some = several[start : start + _IN_MESSAGE]
            body = as_body(REMINDER, now, {"dues": _shown(some), "count": len(some)})
            for hook in hooks:
                self._letter(connection, tenant, ("webhook", hook), some, body=body, now=now)

    def _letter(
        self,
        connection: Connection,
        tenant: str,
        to: tuple[str, str],
        several: Sequence[Notice],
        *,
        body: str,
        now: int,
    ) -> None:
        cause = hashlib.sha256("".join(one.id(tenant) for one in several).encode()).hexdigest()
        self.waiting.put(connection, Letter(delivery_id(cause, *to), tenant, *to, REMINDER, body, now))

    def _by_person(
        self, connection: Connection, tenant: str, several: Sequence[Notice]
    ) -> Mapping[str, Sequence[Notice]]:
        """Who is named and still here, else who holds the role, else the owners: nothing is told to nobody, and what
        one person owes is not told to every member."""
        holding: dict[str, Sequence[str]] = {}
        found: dict[str, list[Notice]] = defaultdict(list)
        for one in several:
            person = _account(connection, tenant, one.due.person)
            if one.stage != "escalated" and person:
                found[person].append(one)
                continue
            role = "owner" if one.due.person and one.role == "member" else one.role
            if role not in holding:
                holding[role] = self.people(connection, tenant, role) or self.people(connection, tenant, "owner")
            for each in holding[role]:
                found[each].append(one)
        return found


def _account(connection: Connection, tenant: str, person: str | None) -> str | None:
    """The account of a person, who may be named by a record of staff; None unless it is active in this tenant."""
    if person is not None and not person.startswith(ACCOUNT):
        mine = select(records.c.account).where(records.c.tenant == tenant, records.c.id == person)
        person = connection.scalar(mine)
    here = select(users.c.id).where(users.c.id == person, users.c.tenant == tenant, users.c.active.is_(True))
    return None if person is None else connection.scalar(here)


def _known(connection: Connection, names: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(names), _CHUNK):
        some = names[start : start + _CHUNK]
        found |= set(connection.execute(select(reminders.c.id).where(reminders.c.id.in_(some))).scalars())
    return found


def _row(tenant: str, name: str, one: Notice, now: int) -> dict[str, Any]:
    due = one.due
    return {
        "id": name, "tenant": tenant, "form": due.form, "record": due.record, "name": due.name, "stage": one.stage,
        "due_at": due.at, "put_at": now,
    }  # fmt: skip


def _shown(several: Sequence[Notice]) -> list[dict[str, Any]]:
    """Ids and words; who is named in a record is not told to the world."""
    return [
        {
            "form": one.due.form, "record": one.due.record, "name": one.due.name, "at": one.due.at, "by": one.due.by,
            "state": one.due.state, "stage": one.stage,
        }
        for one in several
    ]  # fmt: skip
