"""The registers of tenants: opening records, moving them, reading them, and everything that falls due."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.governance import store
from troth.governance.dues import Due, dues, in_order, unordered
from troth.governance.forms.form import Form, PopulationRule
from troth.governance.loading import Forms
from troth.governance.looking import Item, Look, Member
from troth.governance.moments import moment
from troth.governance.moves import ANYBODY, SNAPSHOT, By, Wish, entered_people, moved, opening
from troth.governance.own_forms import FORM as OWN
from troth.governance.own_forms import OwnForms
from troth.governance.people import STAFF, People, all_resealed, known, put, resealed
from troth.governance.populations import owed
from troth.governance.records import Event, Record, fold, mentions
from troth.governance.sealing import SUBJECT, event_of, sealed, sealed_all
from troth.governance.sources.rooms import Rooms, paged
from troth.governance.standing import Reason, Stand, standing, wrong
from troth.governance.store import Row, Search, Written
from troth.governance.tables import items as item_table
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Gone, NotFound, TrothError
from troth.kernel.ids import new_id
from troth.kernel.personal import PersonalFields
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.storage.database import Database, is_unique_violation
from troth.vault import fences
from troth.vault.fences import fence_tenant
from troth.vault.rights.clocks import Calendar
from troth.vault.tables import ERASED

MOST_RECORDS: Final = 20_000  # of one register of a tenant
_MOST_EVENTS: Final = 1_000  # of one record
_SCANNED: Final = 2_000  # records that one search for a text reads


@dataclass(frozen=True, slots=True)
class Opened:
    """A record, what its reader may do with it now, what falls due, and why it is not in order."""

    form: Form
    record: Record
    moves: tuple[str, ...]
    dues: tuple[Due, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Records, newest first; `next`: the `after` of the following page, also where a search read all that it may."""

    records: tuple[Record, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class AllDues:
    """What is due, overdue first; `unjudged`: registers of which nobody can tell, by name."""

    dues: tuple[Due, ...]
    unjudged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registers:
    """Records of registers over a database. `lists`: values by name that forms cover, such as all promises."""

    database: Database
    fields: PersonalFields
    recorder: Recorder
    clock: Clock
    forms: Forms
    home: Calendar = field(default_factory=Calendar)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rooms: Rooms = field(default_factory=Rooms)

    @property
    def own(self) -> OwnForms:
        """Forms of tenants' own, beside those of the installation."""
        return OwnForms(self.database, self.fields, self.forms)

    def form(self, tenant: str, name: str) -> Form:
        """A form as a tenant has it. Raises NotFound(register-not-found), Invalid for one that is not in order."""
        return self.own.get(tenant, name)

    def open(self, by: By, form: str, values: Mapping[str, Any]) -> Record:
        """Open a record.

        Raises NotFound(register-not-found), Denied(wrong-role), Invalid(move-needs, bad-field), Conflict(not-now,
        register-full), Gone for a person who was erased.
        """
        rules = self.form(by.tenant, form)
        event = self.prepared(by, rules, values, self.look(by.tenant, rules))
        self.write(by, rules, [event])
        return fold(rules, [event])

    def prepared(self, by: By, form: Form, values: Mapping[str, Any], look: Look) -> Event:
        """The first event of a record, not written yet. Raises as `open`."""
        self.may_read(by, form)
        event = opening(form, new_id("rec"), Wish(values, secrets.token_bytes(32)), by, look)
        if form.name == OWN:
            self.own.check(by.tenant, values)
        return event

    def write(self, by: By, form: Form, several: Sequence[Event]) -> None:
        """Write the first events of records: all or none. Raises Conflict(register-full), Gone."""
        people = People(self.database, self.fields, by.tenant)
        whose = [people.whose(form, one, {}) for one in several]
        contents = sealed_all(self.fields, by.tenant, list(zip(whose, several, strict=True)))
        rows = [_row(form, *one) for one in zip(several, contents, whose, strict=True)]
        anew = all_resealed(self.database, self.fields, by.tenant, several)
        with self.database.write() as connection:
            fence_tenant(connection, by.tenant)
            if store.count(connection, by.tenant, form.name) + len(rows) > MOST_RECORDS:
                raise Conflict(f"A register holds at most {MOST_RECORDS} records.", code="register-full")
            self.own.room(connection, by.tenant, form.name, len(rows))
            self._fence(connection, by.tenant, rows)
            store.write(connection, by.tenant, rows, by.call)
            put(connection, by.tenant, anew)
            self._tell(connection, by, form, several)

    def move(
        self, by: By, form: str, record: str, move: str, *, values: Mapping[str, Any], seen: int | None = None
    ) -> Record:
        """Make a move. `seen`: the sequence that was looked at.

        Raises NotFound(record-not-found, no-such-move), Denied(wrong-role, own-move), Conflict(not-now),
        Invalid(move-needs, bad-field), PreconditionFailed(stale-record), IntegrityError(register-chain), Gone.
        """
        rules = self.form(by.tenant, form)
        look, by = self.look(by.tenant, rules), known(self.database, self.fields, self.forms.get(STAFF), by)
        self.may_read(by, rules)
        found, past, acts = self.read(by.tenant, rules, record)
        if form == STAFF and record in by.ids and values.get("account") not in (None, "", by.actor):
            raise Denied("Somebody else changes the account of your own record.", code="own-move")
        if form == OWN:
            self.own.moving(by.tenant, move, found)
        if found.sequence >= _MOST_EVENTS:
            raise Conflict("The record has as many entries as one may have; open another.", code="record-full")
        event = moved(rules, found, move, Wish(values, secrets.token_bytes(32), seen), by, look=look, items=acts)
        people = People(self.database, self.fields, by.tenant)
        if people.unknown(entered_people(rules, found, move, values), by.ids):
            raise Conflict(
                f"The move {move} needs a second person, and the record names no account, nor staff of whom "
                "anybody else knows.",
                code="not-now",
            )
        row = self._written(people, by.tenant, rules, event, found.raw)
        anew = resealed(self.database, self.fields, by.tenant, event, found.raw)
        with self.database.write() as connection:
            self.go_on(connection, by, rules, found, row)
            put(connection, by.tenant, [anew])
        return fold(rules, [*past, event])

    def go_on(self, connection: Connection, by: By, form: Form, found: Record, row: Written) -> None:
        """Write a further entry of a record, and tell the log. Raises PreconditionFailed(stale-record), Gone."""
        fence_tenant(connection, by.tenant)
        self._fence(connection, by.tenant, [row])
        store.go_on(connection, by.tenant, found, row, by.call)
        self._tell(connection, by, form, [row.event])

    def act(self, by: By, form: str, record: str, population: str) -> int:
        """What a member of a population does for a record, such as to attest; when (epoch ms).

        Whoever did it already is told when, and nothing more is kept until it is asked for again.

        Raises NotFound(record-not-found, no-such-move), Conflict(not-now), Denied(no-member).
        """
        rules = self.form(by.tenant, form)
        rule = rules.populations.get(population)
        if rule is None:
            raise NotFound("This register asks for no such act.", code="no-such-move")
        found, _, _ = self.read(by.tenant, rules, record)
        if found.state not in rule.states:
            raise Conflict("Nothing of the kind is asked for this record now.", code="not-now")
        now = epoch_ms(self.clock.now())
        try:
            with self.database.write() as connection:
                fence_tenant(connection, by.tenant)
                return self._acted(connection, by, rules, rule, found, now=now)
        except Duplicate as error:  # done in the same millisecond
            if not is_unique_violation(error):
                raise
            return now

    def show(self, by: By, form: str, record: str) -> Opened:
        """A record as its reader finds it. Raises NotFound(record-not-found), Denied(wrong-role), IntegrityError."""
        rules = self.form(by.tenant, form)
        self.may_read(by, rules)
        found, _, acts = self.read(by.tenant, rules, record)
        look = self.look(by.tenant, rules)
        possible = [one.name for one in rules.moves.values() if found.state in one.start and _permits(one.roles, by)]
        possible = [one for one in possible if one != SNAPSHOT or not rules.snapshots]
        reasons = tuple(wrong(rules, found, acts, look)) if rules.judged(found.state) else ()
        return Opened(rules, found, tuple(possible), tuple(dues(rules, [found], acts, look)), reasons)

    def history(self, by: By, form: str, record: str) -> tuple[Event, ...]:
        """Every event of a record, the first one first. Raises as `show`."""
        rules = self.form(by.tenant, form)
        self.may_read(by, rules)
        return self.read(by.tenant, rules, record)[1]

    def find(self, by: By, form: str, wanted: Search) -> Page:
        """Records that match, newest first; a search for a text reads 2,000 records of a page at most."""
        rules = self.form(by.tenant, form)
        self.may_read(by, rules)
        if rules.source is not None:
            return Page(*paged(self._elsewhere(rules, by.tenant), wanted, mentions))
        with moment(self.database) as connection:
            most = _SCANNED if wanted.text else wanted.limit + 1
            rows = store.page(connection, by.tenant, form, wanted, most)
            past = store.events_of(connection, by.tenant, [row["id"] for row in rows])
        found: list[Record] = []
        for number, row in enumerate(rows):
            one = self._folded(rules, row, past[row["id"]])
            if wanted.text is None or mentions(one, wanted.text):
                found.append(one)
            if len(found) == wanted.limit:
                return Page(tuple(found), one.id if number + 1 < len(rows) else None)
        return Page(tuple(found), rows[-1]["id"] if len(rows) == most else None)

    def records(self, tenant: str, form: str | Form, at: int | None = None) -> list[Record]:
        """Every record of a register, as it stood at `at` (epoch ms) or stands now. Raises IntegrityError."""
        return [record for record, _ in self.whole(tenant, form, at)]

    def whole(self, tenant: str, form: str | Form, at: int | None = None) -> list[tuple[Record, tuple[Event, ...]]]:
        """Every record with its events, as `records` has them; what another room keeps has none, and stands as now."""
        rules = self.form(tenant, form) if isinstance(form, str) else form
        if rules.source is not None:
            return [(one, ()) for one in self._elsewhere(rules, tenant)]
        with moment(self.database) as connection:
            past = store.all_events(connection, tenant, rules.name, at)
            rows = store.heads(connection, tenant, rules.name) if at is None else {}
        if at is None and rows.keys() != past.keys():
            raise store.broken()
        found = []
        for record, several in sorted(past.items(), key=_opened_first):
            events = tuple(event_of(self.fields, one) for one in several)
            folded = fold(rules, events)
            found.append((folded if at is not None else store.bound(folded, rows[record]), events))
        return found

    def items(self, tenant: str, records: Sequence[Record]) -> tuple[Item, ...]:
        """What members did for these records."""
        with self.database.read() as connection:
            return store.items_of(connection, tenant, [one.id for one in records])

    def stand(self, tenant: str, form: str) -> Stand:
        """How a register stands now. Raises IntegrityError for altered rows."""
        rules = self.form(tenant, form)
        found = self.records(tenant, rules)
        return standing(rules, found, self.items(tenant, found), self.look(tenant, rules))

    def all_dues(self, by: By, now: int | None = None) -> AllDues:
        """Everything that falls due in the registers that somebody may read, overdue first."""
        found = self.gathered(by, now)
        return AllDues(tuple(in_order(found.dues)), found.unjudged)

    def gathered(self, by: By, now: int | None = None) -> AllDues:
        """The same in no order, for who puts more to it.

        A register whose form or records are not in order blocks no other: it is named, and is never as if nothing were
        due there.
        """
        several: list[Due] = []
        unjudged, form = list[str](), self.own.once(by.tenant)
        for name in sorted(self.counts(by.tenant)):
            try:
                rules = form(name)
                if by.roles & set(rules.read):
                    found = self.records(by.tenant, rules)
                    look = self.look(by.tenant, rules, now)
                    acts = self.items(by.tenant, found) if rules.populations else ()
                    several += list(unordered(rules, found, acts, look))
            except TrothError:
                unjudged.append(name)
        return AllDues(tuple(several), tuple(unjudged))

    def counts(self, tenant: str) -> dict[str, int]:
        """How many records each register has."""
        with self.database.read() as connection:
            return store.counts(connection, tenant)

    def look(self, tenant: str, form: Form, now: int | None = None, *, past: bool = False) -> Look:
        """From where a register of a tenant is looked at; with `past` by the people of then, not by those of today."""
        at = epoch_ms(self.clock.now()) if now is None else now
        over = {rule.over: rule.over.split(".", 1) for rule in form.populations.values()}
        with self.database.read() as connection:
            people = {
                name: store.members_at(connection, tenant, register, state, at=at)
                if past
                else store.members(connection, tenant, register, state)
                for name, (register, state) in over.items()
            }
        return Look(at, self.home, members=people, lists=self.lists)

    def may_read(self, by: By, form: Form) -> None:
        """Raises Denied(wrong-role) for who may not read a register."""
        if not by.roles & set(form.read):
            raise Denied(f"This register is for: {', '.join(form.read)}.", code="wrong-role")

    def _elsewhere(self, form: Form, tenant: str) -> list[Record]:
        return self.rooms.records(form, tenant, epoch_ms(self.clock.now()), self.home)

    def read(self, tenant: str, form: Form, record: str) -> tuple[Record, tuple[Event, ...], tuple[Item, ...]]:
        """A record, its events and what members did. Raises NotFound(record-not-found), IntegrityError."""
        if form.source is not None:
            for one in self._elsewhere(form, tenant):
                if one.id == record:
                    return one, (), ()
            raise _unknown()
        with moment(self.database) as connection:
            row = store.find(connection, tenant, record, form.name)
            if row is None:
                raise _unknown()
            past = store.events_of(connection, tenant, [record])[record]
            acts = store.items_of(connection, tenant, [record])
        several = tuple(event_of(self.fields, one) for one in past)
        return store.bound(fold(form, several), row), several, acts

    def _folded(self, form: Form, row: Row, past: Sequence[Row]) -> Record:
        return store.bound(fold(form, [event_of(self.fields, one) for one in past]), row)

    def _written(self, people: People, tenant: str, form: Form, event: Event, before: Mapping[str, Any]) -> Written:
        subject = people.whose(form, event, before)
        return _row(form, event, sealed(self.fields, tenant, subject, event), subject)

    def _acted(
        self, connection: Connection, by: By, form: Form, rule: PopulationRule, found: Record, *, now: int
    ) -> int:
        """When it was done: now, or before, as long as it is not asked for again."""
        register, _, standing_in = rule.over.partition(".")
        own = store.of_account(connection, by.tenant, by.actor, hold=True)
        mine = next((one for one in own if (one["form"], one["state"]) == (register, standing_in)), None)
        if mine is None:
            raise Denied(f"You do not stand in the register {register} as {standing_in}.", code="no-member")
        member = Member(mine["id"], int(mine["opened_at"]))
        look = Look(now, self.home, members={rule.over: (member,)}, lists=self.lists)
        acts = [one for one in store.items_of(connection, by.tenant, [found.id]) if one.member == member.id]
        for one in owed(form, rule, found, acts, look) or ():
            if one.last is not None and not one.again(now):
                return one.last
        row = {"record": found.id, "population": rule.name, "member": member.id, "at": now, "tenant": by.tenant,
               "account": by.actor, "request": by.call}  # fmt: skip
        connection.execute(insert(item_table), row)
        facts = {"register": form.name, "object": found.id, "move": rule.own_move, "user": by.actor}
        self._record(connection, by, {**facts})
        return now

    def _fence(self, connection: Connection, tenant: str, rows: Sequence[Written]) -> None:
        """Nothing about a person is kept once their erasure began."""
        for subject in {one.subject for one in rows} - {SUBJECT}:
            if fences.state(connection, tenant, subject) == ERASED:
                raise Gone("This person was erased here; nothing more can be kept for them.", code="subject-erased")

    def _tell(self, connection: Connection, by: By, form: Form, several: Sequence[Event]) -> None:
        """One entry for a move; one for all records of an import, over the links of their events in their order."""
        first = several[0]
        facts: dict[str, Fact] = {"register": form.name, "move": first.move, "state": first.state}
        if len(several) == 1:
            facts |= {"object": first.record, "sequence": first.sequence, "digest": first.digest}
            facts |= {"previous": first.previous, "link": first.link}
        else:
            links = hashlib.sha256("".join(one.link for one in several).encode()).hexdigest()
            facts |= {"count": len(several), "link": links}
        self._record(connection, by, facts)

    def _record(self, connection: Connection, by: By, facts: dict[str, Fact]) -> None:
        entry = Entry(
            log=by.tenant, operation="register.entered", phase="event", outcome=Outcome.DONE, request=by.call,
            actor=by.actor, tenant=by.tenant, time=epoch_ms(self.clock.now()), facts=facts,
        )  # fmt: skip
        self.recorder.record_within(connection, entry)


def _row(form: Form, event: Event, content: bytes, subject: str) -> Written:
    values = event.values or {}
    return Written(event, content, subject, values.get("account", values.get("person")) if form.name == STAFF else None)


def _unknown() -> NotFound:
    return NotFound("There is no such record; list the register to see its records.", code="record-not-found")


def _opened_first(one: tuple[str, list[Row]]) -> tuple[int, str]:
    return int(one[1][0]["at"]), one[0]


def _permits(roles: Sequence[str], by: By) -> bool:
    return ANYBODY in roles or bool(by.roles & set(roles))
