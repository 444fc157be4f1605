"""Budgets: every euro counts once, each alert stands once, and what is spent or cannot be read is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from budget_world import EURO, PRICE, BudgetWorld
from database_world import DATABASES, opened
from troth.gateway.limits.budgets import Budgets
from troth.gateway.limits.counting import Estimate
from troth.gateway.limits.store import budget_alerts, budget_spent
from troth.gateway.limits.usage import Done
from troth.gateway.vendors.papers import Price
from troth.gateway.wire.errors import openai_error
from troth.identity.store import grants, users
from troth.kernel.errors import NotFound, TooMany, TrothError, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.personal import FORGOTTEN
from worlds import sqlite


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BudgetWorld]:
    with opened(request.param, tmp_path) as database:
        built = BudgetWorld(database)
        yield built
        built.close()


@contextmanager
def refused_as(kind: type[TrothError], code: str) -> Iterator[pytest.ExceptionInfo[TrothError]]:
    with pytest.raises(kind) as refusal:
        yield refusal
    assert refusal.value.code == code


def test_each_threshold_is_told_once_in_its_month(world: BudgetWorld) -> None:
    budget = world.set(100)
    for euros, told in ((49, []), (1, [50]), (29, [50]), (1.5, [50, 80]), (30, [50, 80, 100]), (50, [50, 80, 100])):
        world.spend(euros)
        assert world.told() == [(budget, percent) for percent in told]
    assert world.spent() == {budget: 160.5}
    (shown,) = world.budgets.all(world.tenant)
    assert list(shown.alerts) == [50, 80, 100]
    world.clock.forward(days=10)  # December
    assert world.spent() == {budget: 0}
    world.spend(90)
    assert world.told()[3:] == [(budget, 50), (budget, 80)]


def test_one_request_may_pass_all_of_them(world: BudgetWorld) -> None:
    budget = world.set(10, stops=False)
    world.spend(11)
    assert world.told() == [(budget, 50), (budget, 80), (budget, 100)]
    world.begin()  # it only tells


def test_a_restart_and_another_instance_know_what_was_told(world: BudgetWorld) -> None:
    budget = world.set(10)
    world.spend(6)
    _, usage, limiter = world.instance()
    world.spend(3, usage=usage)
    assert world.told() == [(budget, 50), (budget, 80)]
    world.spend(2, usage=usage)
    for one in (limiter, world.limiter):
        with refused_as(TooMany, "budget-spent"):
            world.begin(limiter=one)


def test_who_raises_it_is_not_told_again_and_who_lowers_it_is_told_at_once(world: BudgetWorld) -> None:
    budget = world.set(10)
    world.spend(6)
    assert world.set(20) == budget
    world.spend(5)  # 11 of 20: half again
    assert world.told() == [(budget, 50)]
    world.set(12)
    assert world.told() == [(budget, 50), (budget, 80)]


def test_what_was_used_before_counts(world: BudgetWorld) -> None:
    world.spend(7)
    world.spend(2, world.call(world.ben))
    whole = world.set(10)
    mine = world.set(10, scope="user", target=world.ann)
    assert world.spent() == {whole: 9, mine: 7}
    assert world.told() == [(whole, 50), (whole, 80), (mine, 50)]
    world.budgets.remove(world.tenant, whole)
    assert world.spent() == {mine: 7}
    with refused_as(NotFound, "budget-not-found"):
        world.budgets.remove(world.tenant, whole)


def test_people_keys_and_services_have_their_own(world: BudgetWorld) -> None:
    ids = [world.set(5, scope="user", target=world.ann), world.set(3, scope="key", target=world.key),
           world.set(2, scope="key", target=world.service, span="day")]  # fmt: skip
    world.spend(1)
    world.spend(3, world.call(key=world.key))
    world.spend(2, world.call(world.service))
    assert [world.spent()[one] for one in ids] == [4, 3, 2]
    world.begin()
    world.begin(world.call(world.ben))
    for call in (world.call(key=world.key), world.call(world.service)):
        with refused_as(TooMany, "budget-spent"):
            world.begin(call)
    world.clock.forward(days=1)
    world.begin(world.call(world.service))


def test_the_refusal_says_who_can_raise_it_and_when_it_ends(world: BudgetWorld) -> None:
    world.set(1, span="day")
    world.spend(1)
    call = world.call()
    with refused_as(TooMany, "budget-spent") as refusal:
        world.begin(call)
    assert isinstance(refusal.value, TooMany)
    assert refusal.value.seconds == 12 * 3600  # it is noon
    assert "an owner or admin of your organisation can raise it" in refusal.value.advice
    assert openai_error(refusal.value)["error"]["type"] == "insufficient_quota"
    assert call.told["x-should-retry"] == "false"
    world.limiter.begin(world.call(), Estimate(5), [])  # the local studio costs nothing


def test_what_runs_counts_until_its_row_stands(world: BudgetWorld) -> None:
    world.set(10)
    call = world.call()
    first = world.begin(call, tokens=10)
    with refused_as(TooMany, "budget-promised"):
        world.begin()
    first.end(PRICE)
    with refused_as(TooMany, "budget-promised"):
        world.begin()
    world.spend(9, call)
    second = world.begin(tokens=5)  # a euro is left: it may go on, and is finished
    with refused_as(TooMany, "budget-promised"):
        world.begin()
    second.end(None)
    world.begin(tokens=5)
    world.clock.forward(minutes=15)  # whose process died
    world.begin()


def test_of_many_at_once_one_is_admitted_where_one_has_room(
    world: BudgetWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set(10)
    every, reading, first = threading.Barrier(4, timeout=20), Budgets.holding, threading.local()

    def read_together(*whose: Any) -> Any:
        found = reading(*whose)
        if not hasattr(first, "done"):
            first.done = every.wait()  # all have read before anybody promises
        return found

    def ask(_: int) -> str:
        try:
            world.begin(tokens=10)
        except TooMany as refusal:
            return refusal.code
        return "admitted"

    monkeypatch.setattr(Budgets, "holding", read_together)
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == ["admitted", *["budget-promised"] * 3]


@pytest.mark.parametrize("cost", [9, 10])
def test_what_ends_while_somebody_is_admitted_is_counted_once(
    world: BudgetWorld, monkeypatch: pytest.MonkeyPatch, cost: int
) -> None:
    world.set(10)
    running, reading = world.call(), Budgets.holding
    world.begin(running, tokens=5)

    def read_before(*whose: Any) -> Any:
        found = reading(*whose)
        monkeypatch.setattr(Budgets, "holding", reading)
        world.spend(cost, running)
        return found

    monkeypatch.setattr(Budgets, "holding", read_before)
    if cost == 10:
        with refused_as(TooMany, "budget-spent"):
            world.begin()
    else:
        world.begin()  # a euro is left


def test_a_promise_holds_until_the_row_stands(world: BudgetWorld) -> None:
    world.set(10)
    call = world.call()
    ticket = world.begin(call, tokens=10)
    ticket.end(PRICE)
    with suppress(OSError), world.database.write() as connection:
        world.usage.change(call, ticket, Done("chat.complete", "m", "acme", "answered"))(connection)
        with refused_as(TooMany, "budget-promised"):
            world.begin()
        raise OSError  # the transaction is made again, or never
    with refused_as(TooMany, "budget-promised"):
        world.begin()
    for act in call.after:
        act()
    world.begin()


def test_a_request_that_gets_no_promise_leaves_its_place(world: BudgetWorld) -> None:
    world.own.set(world.tenant, "user", "", {"concurrent": 1}, world.ann)
    world.set(10)
    promise = world.budgets.promise
    world.budgets.promise = lambda standings, *more: promise(  # type: ignore[method-assign]
        replace(standings, held=[replace(one, spent=one.amount) for one in standings.held]), *more
    )
    for _ in range(2):
        with refused_as(TooMany, "budget-spent"):
            world.begin()


def test_the_parts_of_a_response_count_together_until_its_row_stands(world: BudgetWorld) -> None:
    world.set(10)
    call = world.call()
    world.begin(call, tokens=6).end(PRICE)  # the model
    world.begin(call, tokens=1).end(PRICE)  # a picture
    world.begin(call, tokens=3).end(None)  # one that was refused, or the same id sent again
    world.begin(tokens=3)
    with refused_as(TooMany, "budget-promised"):
        world.begin()
    world.spend(7, call)
    with refused_as(TooMany, "budget-promised"):
        world.begin()


def test_what_has_no_price_is_refused_where_a_budget_stops(world: BudgetWorld) -> None:
    world.set(10, stops=False)
    world.limiter.begin(world.call(), Estimate(), [None])
    world.set(10)
    for price in (None, Price(currency="USD", input=1)):
        with refused_as(Unavailable, "price-missing"):
            world.limiter.begin(world.call(), Estimate(), [PRICE, price])


def test_a_ledger_that_cannot_be_read_admits_nothing(tmp_path: Path) -> None:
    world = BudgetWorld(sqlite(tmp_path))
    world.set(10)
    world.begin()
    with world.database.write() as connection:
        connection.execute(text("ALTER TABLE budget_spent RENAME TO elsewhere"))
    with pytest.raises(Unavailable):
        world.begin()
    world.close()


def test_a_row_and_what_it_adds_stand_together_or_not_at_all(world: BudgetWorld) -> None:
    budget = world.set(10)

    class Full(Exception):
        """The disk, at the end of the transaction."""

    world.spend(0)
    row = replace(world.row(), cost=6 * EURO, request=new_id("req"))
    with pytest.raises(Full), world.database.write() as connection:
        world.budgets.spend(connection, row)
        raise Full
    assert (world.spent(), world.told()) == ({budget: 0}, [])
    world.spend(6)
    assert (world.spent(), world.told()) == ({budget: 6}, [(budget, 50)])


def test_many_at_once_lose_nothing_and_tell_nothing_twice(world: BudgetWorld) -> None:
    budgets = [world.set(60), world.set(60, scope="user", target=world.ann, span="day")]
    instances = [world.instance()[1] for _ in range(3)]

    def work(number: int) -> None:
        if number == 20:  # somebody sets one in the middle of it
            budgets.append(world.set(60, span="day"))
        world.spend(1, usage=instances[number % 3])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(60)))
    assert world.spent() == dict.fromkeys(budgets, 60)
    assert sorted(world.told()) == sorted((one, percent) for one in budgets for percent in (50, 80, 100))


def test_letters_go_to_who_administers_and_to_whose_it_is_once(world: BudgetWorld) -> None:
    owner = new_id("usr")
    with world.database.write() as connection:
        person = dict(connection.execute(select(users).where(users.c.id == world.ben)).mappings().one())
        connection.execute(insert(users), person | {"id": owner, "email_index": b"o" * 32})
        for who, role in ((owner, "owner"), (world.ben, "member"), (world.ann, "member")):
            given = {"granted_by": "opr_a", "granted_at": 0, "expires_at": 1 << 50}
            connection.execute(insert(grants), {"user": who, "role": role, **given})
    world.set(10, scope="user", target=world.ann)
    world.set(20, stops=False)
    world.spend(10)
    letters = world.alerts.letters()
    assert {(one.percent, one.stops, one.people) for one in letters} == {
        *((percent, True, tuple(sorted((owner, world.ann)))) for percent in (50, 80, 100)),
        (50, False, (owner,)),
    }
    assert world.alerts.letters() == []  # another instance, at the same time
    world.alerts.told(letters[0].place)
    world.clock.forward(minutes=20)
    assert {one.place for one in world.alerts.letters()} == {one.place for one in letters[1:]}


def test_nobody_elses_person_or_key(world: BudgetWorld) -> None:
    for scope, target in (("user", "usr_x"), ("user", world.service), ("key", "key_x"), ("key", world.ann)):
        with refused_as(NotFound, "limit-target-not-found"):
            world.set(1, scope=scope, target=target)


def test_a_forgotten_person_takes_theirs_along(world: BudgetWorld) -> None:
    kept = world.set(5)
    gone = {world.set(5, scope="user", target=world.ann), world.set(5, scope="key", target=world.key)}
    world.own.set(world.tenant, "user", world.ann, {"requests-per-day": 5}, world.ben)
    for scope, who in (("tenant", world.ann), ("user", world.ben)):
        world.own.set(world.tenant, scope, "", {"requests-per-day": 5}, who)
    world.spend(4)
    held = world.holder.holdings(world.tenant, world.ann)
    assert {one.identifier for one in held if one.kind == "budget"} == gone
    assert [one.content["limits"] for one in held if one.kind == "limit"] == ['{"requests-per-day": 5}']
    assert world.ann in world.holder.people(world.tenant)
    world.holder.forget(world.tenant, world.ann)
    assert world.holder.holdings(world.tenant, world.ann) == []
    assert world.holder.people(world.tenant) == []
    assert world.spent() == {kept: 4}
    with world.database.read() as connection:
        left = [set(connection.execute(select(table.c.budget)).scalars()) for table in (budget_spent, budget_alerts)]
    assert left == [{kept}, {kept}]
    assert [one.set_by for one in world.budgets.all(world.tenant)] == [FORGOTTEN]  # Ann had set the tenant's
    assert [one.set_by for one in world.own.all(world.tenant)] == [FORGOTTEN, world.ben]
    world.holder.close(world.tenant)
    assert world.budgets.all(world.tenant) == []


def test_old_days_are_forgotten(world: BudgetWorld) -> None:
    world.set(5, span="day")
    world.spend(5)
    world.clock.forward(days=63)
    world.spend(1)
    world.usage.age()
    with world.database.read() as connection:
        assert connection.execute(select(budget_spent.c.spent)).scalars().all() == [EURO]
        assert connection.execute(select(budget_alerts)).all() == []
