"""Limits of tenants: the stricter wins, the ceiling of the service holds, one person or key may have less."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from budget_world import BudgetWorld
from database_world import DATABASES, opened
from troth.gateway.limits.counting import Estimate
from troth.gateway.limits.own import money, written
from troth.gateway.limits.rules import amounts
from troth.kernel.errors import Denied, NotFound, PreconditionFailed, TooMany

CEILINGS = {"user": {"requests-per-day": 3, "money-per-month": "2.50"}, "tenant": {"tokens-per-day": 1000}}


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BudgetWorld]:
    with opened(request.param, tmp_path) as database:
        built = BudgetWorld(database, CEILINGS)
        yield built
        built.close()


def admitted(world: BudgetWorld, *whose: str, most: int = 9) -> int:
    """How many requests of somebody go through before one is refused."""
    for number in range(most):
        try:
            world.limiter.begin(world.call(*whose), Estimate(1), [])
        except TooMany:
            return number
    return most


def test_the_stricter_holds(world: BudgetWorld) -> None:
    world.own.set(world.tenant, "user", "", {"requests-per-day": 2, "images-per-day": 5}, world.ann)
    assert admitted(world) == 2
    held = world.own.of(world.tenant, world.ann, "")
    assert held["user"] == {"requests-per-day": 2, "images-per-day": 5, "money-per-month": 2_500_000}
    world.own.ceilings["user"]["requests-per-day"] = 1  # type: ignore[index]
    assert world.own.of(world.tenant, world.ann, "")["user"]["requests-per-day"] == 1
    world.own.set(world.tenant, "user", "", {}, world.ann)
    assert world.own.all(world.tenant) == []
    assert world.own.of("ten_other", "usr_x", "") == world.own.ceilings


def test_one_person_key_or_service_may_have_less(world: BudgetWorld) -> None:
    world.own.set(world.tenant, "user", world.ben, {"requests-per-day": 1}, world.ann)
    world.own.set(world.tenant, "key", "", {"requests-per-day": 2}, world.ann)
    world.own.set(world.tenant, "key", world.service, {"requests-per-day": 0}, world.ann)
    assert [admitted(world, *whose) for whose in ((world.ben,), (world.ann, world.key), (world.service,))] == [1, 2, 0]
    assert admitted(world) == 1  # of three, two went by the key
    assert [one.target for one in world.own.all(world.tenant, world.service)] == ["", world.service]
    assert [one.target for one in world.own.all(world.tenant, world.ann)] == [""]
    assert [(one.scope, one.target) for one in world.own.all(world.tenant)] == [
        ("key", ""), ("key", world.service), ("user", world.ben)]  # fmt: skip


def test_nothing_is_set_above_the_ceiling(world: BudgetWorld) -> None:
    for scope, limits in (("user", {"requests-per-day": 4}), ("user", amounts({"money-per-month": "2.51"})),
                          ("tenant", {"tokens-per-day": 1001})):  # fmt: skip
        with pytest.raises(Denied) as refusal:
            world.own.set(world.tenant, scope, "", limits, world.ann)
        assert (refusal.value.code, refusal.value.field) == ("limit-above-ceiling", next(iter(limits)))
    assert "at most 2.50 money-per-month" in _advice(world)
    with pytest.raises(NotFound):
        world.own.set(world.tenant, "key", "key_of_somebody_else", {"requests-per-day": 1}, world.ann)
    assert world.own.all(world.tenant) == []


def test_of_two_writers_the_later_sees_the_earlier(world: BudgetWorld) -> None:
    def set_(limits: dict[str, int], seen: int | None) -> int:
        world.own.set(world.tenant, "user", "", limits, world.ann, seen=seen)
        return next((one.set_at for one in world.own.all(world.tenant)), 0)

    def stale(limits: dict[str, int], seen: int) -> None:
        with pytest.raises(PreconditionFailed) as refusal:
            set_(limits, seen)
        assert refusal.value.code == "stale-limits"

    first = set_({"requests-per-day": 2}, 0)
    stale({"images-per-day": 1}, 0)
    second = set_({"requests-per-day": 1}, first)  # in the same millisecond
    assert second > first
    for limits in ({"requests-per-day": 3}, {}):
        stale(limits, first)
    assert world.own.all(world.tenant)[0].limits == {"requests-per-day": 1}
    stale({}, 0)
    third = set_({"images-per-day": 5}, None)  # whatever stands there
    assert set_({}, third) == 0
    stale({"requests-per-day": 3}, third)
    assert set_({}, 0) == set_({}, None) == 0


def test_many_writers_at_once_lose_nothing(world: BudgetWorld) -> None:
    """Each adds a limit to what it read, again until nobody was in between; nobody meets a fault of the database."""
    names = [f"{kind}-per-{window}" for kind in ("images", "tokens", "bytes") for window in ("hour", "day")]

    def add(name: str) -> None:
        for _ in range(100):
            here = next(iter(world.own.all(world.tenant)), None)
            limits, seen = ({}, 0) if here is None else (dict(here.limits), here.set_at)
            try:
                world.own.set(world.tenant, "key", "", limits | {name: 1}, world.ann, seen=seen)
            except PreconditionFailed:
                continue
            return

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, names))
        (standing,) = world.own.all(world.tenant)
        assert set(standing.limits) == set(names)
        list(pool.map(lambda _: world.set(5), range(6)))  # the first budget, by six at once
        list(pool.map(lambda n: world.own.set(world.tenant, "tenant", "", {"tokens-per-day": n}, world.ann), range(6)))
    assert len(world.budgets.all(world.tenant)) == 1


def test_money_is_written_as_people_do() -> None:
    assert [money(one) for one in (12_500_000, 1, 0, 1_234_567)] == ["12.50", "0.000001", "0.00", "1.234567"]
    assert written("bytes-per-day", 12_500_000) == "12500000"


def _advice(world: BudgetWorld) -> str:
    with pytest.raises(Denied) as refusal:
        world.own.set(world.tenant, "user", "", amounts({"money-per-month": 3}), world.ann)
    return refusal.value.advice
