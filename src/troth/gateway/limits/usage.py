"""What was used: kept with the closing entry of each request, summed by month, aged into sums of days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, Connection

from troth.gateway.limits import store
from troth.gateway.limits.budgets import Budgets
from troth.gateway.limits.limiter import Ticket, key_of
from troth.gateway.limits.rules import Kind, Moment, moment
from troth.gateway.limits.store import DAY_MS, Totals, UsageRow
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.ids import part_id
from troth.kernel.operation import Call
from troth.storage.database import Database

_COLUMNS = {"user": "subject", "key": "key"}


@dataclass(frozen=True, slots=True)
class Month:
    """One calendar month (UTC) of a tenant or a person. `days` by their beginning in epoch ms, oldest first.

    `people` and `keys` know the rows that are still kept; what has aged into sums of days counts in the others only.
    """

    total: Totals
    days: dict[int, Totals]
    models: dict[str, Totals]
    people: dict[str, Totals]
    keys: dict[str, Totals]


@dataclass(frozen=True, slots=True)
class Done:
    """What was done for a request, by which vendor, and how it ended. `part`: of a request that takes several."""

    operation: str
    model: str
    vendor: str
    outcome: str
    part: int = 0


class Usage:
    """The rows, and what they add up to. `keep_days`: days until they go into sums. `budgets` hear of costs."""

    def __init__(self, database: Database, clock: Clock, *, keep_days: int, budgets: Budgets | None = None) -> None:
        self._database, self._budgets = database, budgets
        self._clock = clock
        self._keep_days = keep_days

    def now(self) -> Moment:
        """Now, and the month around it."""
        return moment(epoch_ms(self._clock.now()))

    def change(self, call: Call, ticket: Ticket, done: Done) -> Callable[[Connection], None]:
        """The change that keeps a row of a ticket that was settled, for the transaction of the closing entry.

        Once that stands, what budgets hold for the ticket is given back: not before, or nobody would count it.
        """
        call.afterwards(ticket.promised)
        used = ticket.came.used()
        row = UsageRow(
            tenant=call.tenant,
            at=self.now().now,
            request=part_id(call.request_id, done.part),
            subject=call.subject,
            key=key_of(call),
            operation=done.operation,
            model=done.model,
            vendor=done.vendor,
            tokens_in=used.tokens_in,
            tokens_out=used.tokens_out,
            images=used.images,
            seconds=used.seconds,
            bytes=used.bytes,
            cost=ticket.money,
            currency=ticket.currency,
            outcome=done.outcome,
        )
        if self._budgets is None:
            return lambda connection: store.add_row(connection, row)
        return partial(self._budgets.spend, row=row)

    def month(self, tenant: str, of: Moment, subject: str | None = None) -> Month:
        """A month of a tenant, or of one person, whose rows alone count then."""
        where = _where(tenant, of, subject)
        with self._database.read() as connection:
            by = {name: store.totals_by(connection, name, where) for name in ("day", "model", "subject", "key")}
            if subject is None:
                for name in ("day", "model"):
                    aged = store.day_totals_by(connection, tenant, name, of.began, of.ends)
                    by[name] = _together(by[name], aged)
        days = {int(day): by["day"][day] for day in sorted(by["day"], key=int)}
        return Month(sum(days.values(), Totals()), days, by["model"], by["subject"], by["key"])

    def used(self, tenant: str, scope: str, target: str, of: Moment) -> Callable[[Kind, str], int]:
        """Implements `limiter.Used`."""
        same = {_COLUMNS[scope]: target} if scope in _COLUMNS else {}
        where = store.within(tenant, of.began, of.ends, **same)
        with self._database.read() as connection:
            found = list(store.totals_by(connection, "tenant", where).values())
            if not same:
                found += store.day_totals_by(connection, tenant, "tenant", of.began, of.ends).values()
        total = sum(found, Totals())
        return lambda kind, currency: amount(total, kind, currency)

    def rows(self, tenant: str, of: Moment, subject: str | None, most: int) -> list[UsageRow]:
        """The rows of a month that are still kept, oldest first, `most` at most."""
        with self._database.read() as connection:
            return list(store.rows_of(connection, _where(tenant, of, subject), most))

    def age(self) -> int:
        """Turn rows that are older than `keep_days` into sums of their days; how many."""
        before = (epoch_ms(self._clock.now()) // DAY_MS - self._keep_days) * DAY_MS
        if self._budgets is not None:
            self._budgets.age(before)
        return self.fold(store.usage_rows.c.at < before)

    def fold(self, where: ColumnElement[bool]) -> int:
        """Turn rows into sums of days, without ids; how many."""
        count = 0
        while True:
            with self._database.write() as connection:
                some = store.fold(connection, where)
            if not some:
                return count
            count += some


def amount(total: Totals, kind: Kind, currency: str) -> int:
    """What a sum holds of one kind; money in millionths of the currency."""
    amounts = {
        Kind.REQUESTS: total.requests,
        Kind.TOKENS: total.tokens_in + total.tokens_out,
        Kind.IMAGES: total.images,
        Kind.SECONDS: total.seconds,
        Kind.BYTES: total.bytes,
        Kind.MONEY: total.costs.get(currency, 0),
    }
    return amounts.get(kind, 0)


def _where(tenant: str, of: Moment, subject: str | None) -> ColumnElement[bool]:
    return store.within(tenant, of.began, of.ends, **({} if subject is None else {"subject": subject}))


def _together(one: dict[str, Totals], other: dict[str, Totals]) -> dict[str, Totals]:
    return {name: one.get(name, Totals()) + other.get(name, Totals()) for name in {**one, **other}}
