"""The SQL of registers: rows in, rows out. Every query names the tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update

from troth.governance.looking import Item, Member
from troth.governance.records import OF_FILES, Event, Record
from troth.governance.tables import events, items, records
from troth.kernel.errors import IntegrityError, PreconditionFailed

_CHUNK: Final = 400  # ids in one query
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Search:
    """Which records of a register: in `state`, with `text` in any of their texts, after the record `after`."""

    state: str | None = None
    text: str | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Written:
    """An event beside what its row needs: the sealed content and whose it is, and the account that it stands for."""

    event: Event
    content: bytes
    subject: str
    account: str | None


def find(connection: Connection, tenant: str, record: str, form: str) -> Row | None:
    """The row of a record."""
    mine = select(records).where(records.c.id == record, records.c.tenant == tenant, records.c.form == form)
    row = connection.execute(mine).mappings().first()
    return None if row is None else dict(row)


def page(connection: Connection, tenant: str, form: str, wanted: Search, most: int) -> list[Row]:
    """Rows of records, newest first."""
    query = select(records).where(records.c.tenant == tenant, records.c.form == form)
    if wanted.state is not None:
        query = query.where(records.c.state == wanted.state)
    if wanted.after is not None:
        last = find(connection, tenant, wanted.after, form)
        if last is None:
            return []
        at = records.c.opened_at
        before = and_(at == last["opened_at"], records.c.id < last["id"])
        query = query.where(or_(at < last["opened_at"], before))
    query = query.order_by(records.c.opened_at.desc(), records.c.id.desc()).limit(most)
    return _rows(connection, query)


def all_of(connection: Connection, tenant: str, form: str) -> list[Row]:
    """Every record's row of a register."""
    return _rows(connection, select(records).where(records.c.tenant == tenant, records.c.form == form))


def heads(connection: Connection, tenant: str, form: str) -> dict[str, Row]:
    """What each record of a register must come to: the link and number of its last event, and the state."""
    columns = records.c.id, records.c.head, records.c.sequence, records.c.state
    query = select(*columns).where(records.c.tenant == tenant, records.c.form == form)
    return {row["id"]: row for row in _rows(connection, query)}


def events_of(connection: Connection, tenant: str, ids: Sequence[str]) -> dict[str, list[Row]]:
    """The events of these records, in their order."""
    found: dict[str, list[Row]] = {one: [] for one in ids}
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        query = select(events).where(events.c.tenant == tenant, events.c.record.in_(some))
        for row in _rows(connection, query.order_by(events.c.record, events.c.sequence)):
            found[row["record"]].append(row)
    return found


def all_events(connection: Connection, tenant: str, form: str, until: int | None) -> dict[str, list[Row]]:
    """Every event of a register up to `until` (epoch ms), by record and in their order."""
    query = select(events).where(events.c.tenant == tenant, events.c.form == form)
    if until is not None:
        query = query.where(events.c.at <= until)
    found: dict[str, list[Row]] = {}
    for row in _rows(connection, query.order_by(events.c.record, events.c.sequence)):
        found.setdefault(row["record"], []).append(row)
    return found


def counts(connection: Connection, tenant: str) -> dict[str, int]:
    """How many records there are of each form."""
    query = select(records.c.form, func.count()).where(records.c.tenant == tenant).group_by(records.c.form)
    return {str(form): int(number) for form, number in connection.execute(query)}


def count(connection: Connection, tenant: str, form: str) -> int:
    """How many records there are of one form."""
    query = select(func.count()).select_from(records).where(records.c.tenant == tenant, records.c.form == form)
    return int(connection.execute(query).scalar_one())


def members(connection: Connection, tenant: str, form: str, state: str) -> tuple[Member, ...]:
    """Who is in that state of a register, by the ids of their records, and since when they stand in it."""
    query = select(records.c.id, records.c.opened_at).where(
        records.c.tenant == tenant, records.c.form == form, records.c.state == state
    )
    return tuple(Member(str(row.id), int(row.opened_at)) for row in connection.execute(query.order_by(records.c.id)))


def members_at(connection: Connection, tenant: str, form: str, state: str, *, at: int) -> tuple[Member, ...]:
    """Who was in that state at a moment (epoch ms), by the entries that there were then."""
    mine = (events.c.tenant == tenant, events.c.form == form, events.c.at <= at)
    ends = select(events.c.record, func.max(events.c.sequence).label("last"), func.min(events.c.at).label("since"))
    last = ends.where(*mine).group_by(events.c.record).subquery()
    query = select(events.c.record, last.c.since).join(
        last, and_(last.c.record == events.c.record, last.c.last == events.c.sequence)
    )
    query = query.where(events.c.tenant == tenant, events.c.state == state).order_by(events.c.record)
    return tuple(Member(str(row.record), int(row.since)) for row in connection.execute(query))


def forgotten(connection: Connection, tenant: str, form: str) -> frozenset[str]:
    """The records of which an entry lost its content with a person."""
    mine = (events.c.tenant == tenant, events.c.form == form, events.c.content.is_(None))
    return frozenset(connection.execute(select(events.c.record).where(*mine)).scalars())


def of_account(connection: Connection, tenant: str, account: str, *, hold: bool = False) -> list[Row]:
    """The records that stand for an account; `hold`: another transaction that does so waits for this one."""
    query = select(records).where(records.c.tenant == tenant, records.c.account == account).order_by(records.c.id)
    return _rows(connection, query.with_for_update() if hold else query)


def ever_of_account(connection: Connection, tenant: str, account: str, form: str) -> list[Row]:
    """The records of a form that stand for an account, or did so in an entry that is sealed under it."""
    named = select(events.c.record).where(events.c.tenant == tenant, events.c.form == form, events.c.subject == account)
    mine = or_(records.c.account == account, records.c.id.in_(named))
    return _rows(connection, select(records).where(records.c.tenant == tenant, records.c.form == form, mine))


def items_of(connection: Connection, tenant: str, ids: Sequence[str]) -> tuple[Item, ...]:
    """What members did for these records."""
    found: list[Item] = []
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        query = select(items).where(items.c.tenant == tenant, items.c.record.in_(some)).order_by(items.c.at)
        found += [
            Item(row["record"], row["population"], row["member"], int(row["at"])) for row in _rows(connection, query)
        ]
    return tuple(found)


def write(connection: Connection, tenant: str, several: Sequence[Written], request: str) -> None:
    """The first events of records, with their rows."""
    rows = [_record_row(tenant, one) for one in several]
    connection.execute(insert(records), rows)
    connection.execute(insert(events), [_event_row(tenant, one, request) for one in several])


def go_on(connection: Connection, tenant: str, before: Record, one: Written, request: str) -> None:
    """A further event of a record. Raises PreconditionFailed(stale-record) when it went on since it was read."""
    mine = update(records).where(
        records.c.id == before.id, records.c.tenant == tenant,
        records.c.sequence == before.sequence, records.c.head == before.head,
    )  # fmt: skip
    row = _record_row(tenant, one)
    kept = {name: row[name] for name in ("state", "changed_at", "sequence", "head")}
    if one.event.move in OF_FILES:
        del kept["changed_at"]
    if one.account is not None:
        kept["account"] = one.account
    if connection.execute(mine.values(kept)).rowcount != 1:
        raise PreconditionFailed("The record was changed meanwhile; look at it again.", code="stale-record")
    connection.execute(insert(events), _event_row(tenant, one, request))


def _record_row(tenant: str, one: Written) -> Row:
    event = one.event
    return {
        "id": event.record, "tenant": tenant, "form": event.form, "state": event.state, "account": one.account,
        "opened_at": event.at, "changed_at": event.at, "sequence": event.sequence, "head": event.link,
    }  # fmt: skip


def _event_row(tenant: str, one: Written, request: str) -> Row:
    event = one.event
    return {
        "record": event.record, "sequence": event.sequence, "tenant": tenant, "form": event.form,
        "form_version": event.form_version, "at": event.at, "actor": event.actor, "move": event.move,
        "state": event.state, "subject": one.subject, "content": one.content, "digest": event.digest,
        "previous": event.previous, "request": request,
    }  # fmt: skip


def _rows(connection: Connection, query: Select[Any]) -> list[Row]:
    found = connection.execute(query)
    names = tuple(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found]


def bound(record: Record, row: Row) -> Record:
    """The record, when it comes to what its row says. Raises IntegrityError(register-chain)."""
    if (record.head, record.sequence, record.state) != (row["head"], row["sequence"], row["state"]):
        raise broken()
    return record


def broken() -> IntegrityError:
    """The refusal of rows that somebody altered."""
    says = "The rows of a register do not fit each other; restore them from a backup and look who changed them."
    return IntegrityError(says, code="register-chain")
