"""Limits of tenants: the stricter wins, the ceiling of the service holds, one person or key may have less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from budget_world import BudgetWorld
from database_world import DATABASES, opened
from troth.gateway.limits.counting import Estimate
from troth.gateway.limits.own import money, written
from troth.gateway.limits.rules import amounts
from troth.kernel.errors import Denied, NotFound, TooMany

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


def test_money_is_written_as_people_do() -> None:
    assert [money(one) for one in (12_500_000, 1, 0, 1_234_567)] == ["12.50", "0.000001", "0.00", "1.234567"]
    assert written("bytes-per-day", 12_500_000) == "12500000"


def _advice(world: BudgetWorld) -> str:
    with pytest.raises(Denied) as refusal:
        world.own.set(world.tenant, "user", "", amounts({"money-per-month": 3}), world.ann)
    return refusal.value.advice
