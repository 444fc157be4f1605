"""Cases: what an export tells of them, and what ends by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from key_world import World
from troth.gateway.moderation.cases import NOTED, OPEN, Cases, Found
from troth.gateway.moderation.holder import ModerationHolder
from troth.gateway.moderation.policy import Action, Periods
from troth.kernel.caller import Caller
from troth.kernel.operation import Call
from troth.keys.fields import SealedFields
from worlds import MovableClock

SAID = {"text": "gory severed heads"}
DAYS = Periods().case_days


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def register(tmp_path: Path, clock: MovableClock) -> Iterator[Cases]:
    world = World(tmp_path)
    yield Cases(world.database, SealedFields(world.tree, bytes(32)), clock, Periods())
    world.close()


def opened(register: Cases, clock: MovableClock, action: Action) -> str:
    call = Call(Caller("usr_a", "user", "ten_a", "usr_a"), f"req_{action.value}", clock.now())
    found = Found(side="input", medium="text", category="violence/graphic", score=1.0, action=action,
                  policy="1", content=SAID)  # fmt: skip
    case, write = register.opening(call, found)
    with register._database.write() as connection:
        write(connection)
    return case


def test_an_export_tells_what_was_judged(register: Cases, clock: MovableClock) -> None:
    opened(register, clock, Action.REFUSE)
    (held,) = ModerationHolder(register._database, register).holdings("ten_a", "usr_a")
    assert held.content["content"] == SAID
    assert register.of_person("ten_a", "usr_a")[0]["content"] is None


@pytest.mark.parametrize("appealed", [False, True])
def test_what_nobody_reviews_does_not_keep_its_content_for_ever(
    register: Cases, clock: MovableClock, appealed: bool
) -> None:
    case = opened(register, clock, Action.REFUSE)
    opened(register, clock, Action.FLAG)
    if appealed:
        register.appeal("ten_a", "usr_a", case, "I write a novel.")
    clock.forward(days=DAYS, seconds=-1)
    assert register.sweep() == 0
    assert json.loads(register.opened("ten_a", case, "usr_b")["content"]) == SAID
    clock.forward(seconds=2)
    assert register.sweep() == 1  # nobody waits for the one that was only noted
    (left,) = register.queue("ten_a", waiting=False, limit=9)
    assert (left["id"], left["state"] in (OPEN, "appealed"), left["state"] != NOTED) == (case, True, True)
    assert register.opened("ten_a", case, "usr_b")["content"] is None
