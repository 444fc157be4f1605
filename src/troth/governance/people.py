"""One person by several names: what is about them is sealed under their account, so that it goes when they are erased.

A field may name a person by their account, by their record of staff, or by who stands in that record as `person`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, select, update

from troth.governance import store
from troth.governance.forms.form import Form
from troth.governance.moments import moment
from troth.governance.moves import By
from troth.governance.records import Event, fold
from troth.governance.sealing import SUBJECT, event_of, sealed, subject_of
from troth.governance.tables import events
from troth.identity.store import users
from troth.kernel.errors import PreconditionFailed
from troth.kernel.personal import PersonalFields
from troth.storage.database import Database

STAFF: Final = "staff"  # its records stand for accounts, so that a person is one person by both names
ACCOUNT: Final = "usr_"  # what the id of an account begins with
_NAMING: Final = ("person", "account")  # of a record of staff
_CHUNK: Final = 400  # ids in one query


def known(database: Database, fields: PersonalFields, staff: Form, by: By) -> By:
    """With every id of the same person: their records of staff, and whom any entry of these ever named.

    Raises IntegrityError(register-chain).
    """
    with moment(database) as connection:
        rows = store.ever_of_account(connection, by.tenant, by.actor, STAFF)
        past = store.events_of(connection, by.tenant, [row["id"] for row in rows])
    also = {str(row["id"]) for row in rows}
    for row in rows:
        told = [event_of(fields, one) for one in past[row["id"]]]
        store.bound(fold(staff, told), row)
        also |= {str(one) for event in told for name in _NAMING if (one := (event.values or {}).get(name))}
    return replace(by, also=by.also | also)


class People:
    """The accounts of people of a tenant, looked up once for a call."""

    def __init__(self, database: Database, fields: PersonalFields, tenant: str) -> None:
        self._database, self._fields, self._tenant = database, fields, tenant
        self._accounts: Mapping[str, str] | None = None

    def unknown(self, people: frozenset[str], by: frozenset[str]) -> frozenset[str]:
        """Which of these ids are neither an account of the tenant nor a person of its staff.

        `by`: all ids of who asks. What they alone entered into the staff proves nobody, unless an account stands there.
        """
        left = people - self._users(people)
        return left - self._vouched(by) if left else left

    def account(self, person: str) -> str:
        """The account of a person; the given id where nobody knows one, or several stand by that name."""
        if person == SUBJECT or person.startswith(ACCOUNT):
            return person
        if self._accounts is None:
            self._accounts = self._read()
        return self._accounts.get(person, person)

    def whose(self, form: Form, event: Event, before: Mapping[str, Any]) -> str:
        """Under whom an event is sealed. Raises Invalid(two-people) for texts about different people."""
        about = subject_of(form, event.move, event.values or {}, before)
        return self.subject(form.name, event, about, before)

    def subject(self, form: str, event: Event, subject: str, before: Mapping[str, Any]) -> str:
        """Under whom an event is sealed whose texts are about `subject`."""
        values = event.values or {}
        own = values.get("account") or before.get("account") if form == STAFF else None
        return str(own) if own and (subject != SUBJECT or "account" in values) else self.account(subject)

    def _users(self, people: Collection[str]) -> frozenset[str]:
        names, found = sorted(people), set[str]()
        with self._database.read() as connection:
            for start in range(0, len(names), _CHUNK):
                some = users.c.id.in_(names[start : start + _CHUNK])
                mine = select(users.c.id).where(users.c.tenant == self._tenant, some)
                found |= set(connection.execute(mine).scalars())
        return frozenset(found)

    def _vouched(self, by: frozenset[str]) -> frozenset[str]:
        """The names of people of the staff whom somebody else than `by` entered, or who have an account."""
        with moment(self._database) as connection:
            kept = {row["id"]: str(row["account"] or "") for row in store.all_of(connection, self._tenant, STAFF)}
            past = store.events_of(connection, self._tenant, list(kept))
        held = self._users([one for one in kept.values() if one.startswith(ACCOUNT)])
        found: set[str] = set()
        for record, several in past.items():
            if kept[record] in held or any(row["actor"] not in by for row in several):
                told = [event_of(self._fields, row).values or {} for row in several]
                found |= {record, *(str(one["person"]) for one in told if "person" in one)}
        return frozenset(name for name in found if not name.startswith(ACCOUNT))

    def _read(self) -> dict[str, str]:
        with moment(self._database) as connection:
            kept = {row["id"]: str(row["account"] or "") for row in store.all_of(connection, self._tenant, STAFF)}
            known = {record: account for record, account in kept.items() if account.startswith(ACCOUNT)}
            past = store.events_of(connection, self._tenant, list(known))
        named: dict[str, set[str]] = {}
        for record, account in known.items():
            told = [event_of(self._fields, row).values or {} for row in past[record]]
            for name in {record, *(str(one["person"]) for one in told if "person" in one)}:
                named.setdefault(name, set()).add(account)
        return {name: accounts.pop() for name, accounts in named.items() if len(accounts) == 1}


@dataclass(frozen=True, slots=True)
class Resealed:
    """Entries that were sealed under other names of a person, sealed anew under their account."""

    names: frozenset[str]
    account: str
    contents: Mapping[tuple[str, int], bytes]


def resealed(
    database: Database, fields: PersonalFields, tenant: str, event: Event, before: Mapping[str, Any]
) -> Resealed | None:
    """What changes when a record of staff is given its account. Nothing is written yet: keys have a store of their own.

    Raises `Gone` for an erased account.
    """
    account = (event.values or {}).get("account")
    if event.form != STAFF or not account:
        return None
    names = _named(event, before)
    with database.read() as connection:
        rows = _under(connection, tenant, names)
    contents = {}
    for row in rows:
        if row["content"] is not None and (told := event_of(fields, row)).values is not None:
            contents[row["record"], int(row["sequence"])] = sealed(fields, tenant, account, told)
    return Resealed(names, account, contents)


def all_resealed(
    database: Database, fields: PersonalFields, tenant: str, several: Iterable[Event]
) -> list[Resealed | None]:
    """The same for the first entries of many records. Raises as `resealed`."""
    named = {one.record: _named(one, {}) for one in several if one.form == STAFF and (one.values or {}).get("account")}
    with database.read() as connection:
        there = _standing(connection, tenant, named.values())
    found: list[Resealed | None] = []
    for one in several:
        if (names := named.get(one.record)) is not None:
            account = str((one.values or {})["account"])
            known = bool(names & there)
            found.append(resealed(database, fields, tenant, one, {}) if known else Resealed(names, account, {}))
    return found


def put(connection: Connection, tenant: str, several: Iterable[Resealed | None]) -> None:
    """Write them. Raises PreconditionFailed(stale-record) when something was entered under such a name meanwhile."""
    wanted = [one for one in several if one is not None]
    there = _standing(connection, tenant, [one.names for one in wanted])
    for anew in wanted:
        if anew.names & there:
            _put(connection, tenant, anew)


def _named(event: Event, before: Mapping[str, Any]) -> frozenset[str]:
    person = {**before, **(event.values or {})}.get("person")
    return frozenset(one for one in (event.record, person) if one and not one.startswith(ACCOUNT))


def _standing(connection: Connection, tenant: str, several: Iterable[frozenset[str]]) -> frozenset[str]:
    """Under which of these names anything is sealed."""
    names, found = sorted(frozenset().union(*several)), set[str]()
    for start in range(0, len(names), _CHUNK):
        some = events.c.subject.in_(names[start : start + _CHUNK])
        mine = select(events.c.subject).where(events.c.tenant == tenant, some).distinct()
        found |= set(connection.execute(mine).scalars())
    return frozenset(found)


def _put(connection: Connection, tenant: str, anew: Resealed) -> None:
    for row in _under(connection, tenant, anew.names):
        content = anew.contents.get((row["record"], int(row["sequence"])))
        if content is None and row["content"] is not None:
            raise PreconditionFailed(
                "Something about this person was entered meanwhile; try again.", code="stale-record"
            )
        mine = update(events).where(
            events.c.tenant == tenant, events.c.record == row["record"], events.c.sequence == row["sequence"]
        )
        connection.execute(mine.values(content=content, subject=anew.account))


def _under(connection: Connection, tenant: str, names: frozenset[str]) -> list[dict[str, Any]]:
    mine = select(events).where(events.c.tenant == tenant, events.c.subject.in_(sorted(names)))
    return [dict(row) for row in connection.execute(mine.order_by(events.c.record, events.c.sequence)).mappings()]
