"""One row for each request: with the closing entry, small, without content; aged into sums that name nobody."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway_world import DAY, PERSON, TENANT, Upstream, World, serving
from troth.gateway.limits import store
from troth.gateway.limits.counting import Estimate
from troth.gateway.limits.holder import UsageHolder
from troth.gateway.limits.limiter import Limiter
from troth.gateway.limits.rules import amounts
from troth.gateway.limits.store import Totals, UsageRow, usage_days, usage_rows
from troth.gateway.limits.usage import Usage
from troth.gateway.vendors.papers import Price
from troth.gateway.vendors.record import Offer
from troth.gateway.wire.chat import CompleteChat
from troth.kernel.caller import Caller
from troth.kernel.errors import TooMany, VendorFailed
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from worlds import MovableClock, sqlite

SECRET = "a-secret-word"
PRICE = Price(currency="EUR", input=10**6, output=2 * 10**6)
PRICED = Offer(
    model="acme-chat", upstream="up", kind="chat", price=Price(currency="EUR", input=10**6, output=2 * 10**6)
)
STREAM = {"stream": True, "max_tokens": 20}


class Desk:
    """Rows in a file."""

    def __init__(self, folder: Path) -> None:
        self.clock = MovableClock()
        self.database = sqlite(folder)
        self.usage = Usage(self.database, self.clock, keep_days=62)
        self.holder = UsageHolder(self.database, self.usage)

    def add(self, *, person: str = PERSON, key: str = "", days_ago: int = 0, **more: Any) -> UsageRow:
        at = self.usage.now().now - days_ago * DAY
        given: dict[str, Any] = {"tokens_in": 10, "tokens_out": 5, "images": 0, "seconds": 0, "bytes": 40, "cost": 7}
        given |= {"currency": "USD", "operation": "chat.complete", "model": "m-1", "vendor": "acme"}
        given |= {"outcome": "answered"} | more
        row = UsageRow(tenant=TENANT, at=at, request=new_id("req"), subject=person, key=key, **given)
        with self.database.write() as connection:
            store.add_row(connection, row)
        return row


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def rows(world: World) -> list[UsageRow]:
    with world.database.read() as connection:
        return [UsageRow(*row) for row in connection.execute(select(usage_rows))]


def asked(world: World, upstream: Upstream, **more: Any) -> list[UsageRow]:
    """One request with a secret in it, and the rows after its closing entry."""

    async def go() -> None:
        async with serving(upstream):
            world.add_vendor(upstream.url, offers=(PRICED,))
            world.clearance.limiter = Limiter({}, world.clock, b"s" * 32)
            world.clearance.usage = Usage(world.database, world.clock, keep_days=62)
            call = world.call()
            body = {"model": "acme-chat", "messages": [{"role": "user", "content": SECRET}]} | more
            try:
                answer = await world.chat.complete(call, CompleteChat.model_validate(body))
                if more:
                    await anext(answer.chunks)
                    await answer.chunks.aclose()
            except VendorFailed:
                pass
            assert rows(world) == []  # not before the closing entry
            world.close(call)

    world.run(go())
    return rows(world)


def test_a_request_leaves_one_row_with_its_closing_entry(world: World) -> None:
    (row,) = asked(world, Upstream())
    assert (row.tenant, row.subject, row.key, row.model, row.vendor) == (TENANT, PERSON, "", "acme-chat", "acme")
    assert (row.operation, row.outcome, row.currency) == ("chat.complete", "answered", "EUR")
    assert row.tokens_in > 0 < row.tokens_out
    assert row.cost == row.tokens_in + 2 * row.tokens_out
    assert not any(SECRET in str(value) for value in astuple(row))


def test_who_leaves_has_a_row_too(world: World) -> None:
    chunk = b'data: {"choices": [{"index": 0, "delta": {"content": "Hello you there"}}]}\n\n'
    (row,) = asked(world, Upstream(chunks=lambda _body: [chunk, chunk]), **STREAM)
    assert row.outcome == "cancelled"
    assert row.tokens_out > 0 < row.cost


def test_what_was_not_done_costs_nothing(world: World) -> None:
    async def refused(_request: Any) -> Any:
        from aiohttp import web  # noqa: PLC0415

        return web.Response(status=503, headers={"retry-after": "1"})

    (row,) = asked(world, Upstream(handler=refused))
    assert (row.cost, row.tokens_in, row.tokens_out) == (0, 0, 0)
    assert row.outcome.startswith("vendor-")


def test_a_month_adds_up_by_day_model_person_and_key(desk: Desk) -> None:
    other = new_id("usr")
    desk.add()
    desk.add(person=other, key="key_a", cost=3, currency="EUR", model="m-2")
    month = desk.usage.month(TENANT, desk.usage.now())
    assert month.total == Totals(2, 20, 10, 0, 0, 80, {"USD": 7, "EUR": 3})
    assert {name: one.requests for name, one in month.people.items()} == {PERSON: 1, other: 1}
    assert set(month.models) == {"m-1", "m-2"}
    assert set(month.keys) == {"", "key_a"}
    assert desk.usage.month(TENANT, desk.usage.now(), other).total.costs == {"EUR": 3}
    assert desk.usage.month(new_id("ten"), desk.usage.now()).total == Totals()


def test_old_rows_become_sums_and_the_month_stays_the_same(desk: Desk) -> None:
    for _ in range(3):
        desk.add(days_ago=0)
    before = desk.usage.month(TENANT, desk.usage.now())
    of = desk.usage.now()
    assert desk.usage.age() == 0
    desk.clock.forward(days=70)
    desk.add()
    assert desk.usage.age() == 3
    after = desk.usage.month(TENANT, of)
    assert (after.total, after.days, after.models) == (before.total, before.days, before.models)
    assert (after.people, after.keys) == ({}, {})
    assert len(desk.usage.rows(TENANT, desk.usage.now(), None, 10)) == 1


def test_a_forgotten_person_leaves_sums_alone(desk: Desk) -> None:
    other = desk.add(person=new_id("usr"))
    row = desk.add(key="key_a")
    (day,) = desk.holder.holdings(TENANT, PERSON)
    assert [one["request"] for one in day.content["requests"]] == [row.request]
    assert sorted(desk.holder.people(TENANT)) == sorted([PERSON, other.subject])
    assert len(desk.holder.forget(TENANT, PERSON).identifiers) == 1
    assert desk.holder.forget(TENANT, PERSON).identifiers == ()
    assert desk.holder.holdings(TENANT, PERSON) == []
    with desk.database.read() as connection:
        kept = repr(connection.execute(select(usage_days)).all() + connection.execute(select(usage_rows)).all())
    assert not any(one in kept for one in (PERSON, "key_a", row.request))
    assert desk.usage.month(TENANT, desk.usage.now()).total.requests == 2
    desk.holder.forget(TENANT, other.subject)
    desk.holder.close(TENANT)
    assert desk.usage.month(TENANT, desk.usage.now()).total == Totals()


def test_months_begin_with_what_the_rows_say(desk: Desk) -> None:
    desk.add(cost=600_000, tokens_in=600, tokens_out=300)
    desk.add(person=new_id("usr"), cost=300_000, tokens_in=0, tokens_out=50)
    desk.add(person=new_id("usr"), cost=900_000, currency="EUR", tokens_in=0, tokens_out=0)
    limits = {"tenant": amounts({"money-per-month": "1.00"}), "user": amounts({"tokens-per-month": 1000})}
    limiter = Limiter(limits, desk.clock, b"s" * 32, used=desk.usage.used)
    dear, cheap = Price(input=200_000 * 10**6), Price(input=1)

    def ask(tokens: int, price: Price) -> None:
        call = Call(Caller(PERSON, "user", TENANT, PERSON), new_id("req"), desk.clock.now())
        limiter.begin(call, Estimate(tokens), [price])

    for tokens, price in ((1, dear), (101, cheap)):  # 0.90 of 1.00 and 900 of 1,000 are used
        with pytest.raises(TooMany):
            ask(tokens, price)
    desk.holder.forget(TENANT, PERSON)
    with pytest.raises(TooMany):
        ask(1, dear)
    ask(100, cheap)
    desk.clock.forward(days=30)
    ask(1, dear)
