"""The check of floods: kept as the door is made, and broken by each limiter that lets a flood take from others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from troth.gateway.limits.limiter import Limiter
from troth.http.guard import DoorGuard
from troth.http.limits import RateLimit
from troth.http.room import Room
from troth.promises.check import Result, judge
from troth.promises.checks.floods import CHECKS
from troth.promises.system import System

(CHECK,) = CHECKS


@pytest.fixture
def door(system: System) -> Iterator[System]:
    """A door with small limits."""
    server = system.base.settings.server.model_copy(
        update={"requests_per_minute": 40, "anonymous_per_minute": 12, "bodies_in_memory": 64 << 20}
    )
    usual, settings = system.base.settings.server, system.base.settings
    object.__setattr__(settings, "server", server)
    system.door.guard = partial(DoorGuard, server)
    yield system
    system.door.guard = None
    object.__setattr__(settings, "server", usual)


def test_one_client_floods_and_others_are_served(door: System) -> None:
    assert judge(CHECK.observe(door)) is Result.PASS
    assert judge(CHECK.sabotage(door)) is Result.FAIL


def test_without_a_door_it_says_nothing(system: System) -> None:
    assert system.door.guard is None
    assert judge(CHECK.observe(system)) is Result.ERROR


def test_a_door_that_does_not_count_is_seen(door: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.http.limits._Counts.add", lambda _self, _name: None)
    assert CHECK.observe(door).broken >= 3


def test_one_count_for_all_is_seen(door: System, monkeypatch: pytest.MonkeyPatch) -> None:
    add = vars(RateLimit)["check_stranger"]
    monkeypatch.setattr(RateLimit, "check", lambda self, request, _caller: add(self, request))
    assert CHECK.observe(door).broken == 2


def test_bodies_that_one_client_may_fill_are_seen(door: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.http.guard.room_of", lambda server: Room(server.bodies_in_memory))
    assert CHECK.observe(door).broken == 2


def test_a_limiter_that_takes_tenants_for_one_is_seen(door: System, monkeypatch: pytest.MonkeyPatch) -> None:
    name = Limiter._name
    monkeypatch.setattr(Limiter, "_name", lambda self, *parts: name(self, parts[0], "all", *parts[2:]))
    assert CHECK.observe(door).broken
