"""What administers or destroys waits for witnesses before it runs; everything else does not know of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from pydantic import BaseModel

from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import Unavailable
from troth.kernel.operation import Call, Group, Registry, Route, operation
from troth.kernel.witnessed import waits_for_witnesses
from worlds import FaultList, ListRecorder, MovableClock, RoleDecider, person


class Nothing(BaseModel):
    pass


class Acts:
    def __init__(self) -> None:
        self.ran: list[str] = []

    @operation("act.destroy", group=Group.PRIVACY, request=Nothing, route=Route("POST", "/acts"))
    def destroy(self, call: Call, request: Nothing) -> Nothing:
        self.ran.append("destroy")
        return request

    @operation("act.later", group=Group.ADMINISTER, request=Nothing, quick=True)
    async def later(self, call: Call, request: Nothing) -> Nothing:
        self.ran.append("later")
        return request

    @operation("act.look", group=Group.ADMINISTER, request=Nothing, route=Route("GET", "/acts", body="none"))
    def look(self, call: Call, request: Nothing) -> Nothing:
        self.ran.append("look")
        return request

    @operation("act.own", group=Group.OWN_DATA, request=Nothing, route=Route("POST", "/own"))
    def own(self, call: Call, request: Nothing) -> Nothing:
        self.ran.append("own")
        return request


@dataclass
class Outside:
    """A witness that was asked about these logs, with what had been recorded by then."""

    recorder: ListRecorder
    away: bool = False
    asked: list[tuple[str, int]] = field(default_factory=list)

    def require(self, log: str) -> None:
        self.asked.append((log, len(self.recorder.entries)))
        if self.away:
            raise Unavailable("no witness", code="unwitnessed")


@pytest.fixture
def outside() -> Outside:
    return Outside(ListRecorder())


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def dispatcher(acts: Acts, outside: Outside) -> Dispatcher:
    made = Dispatcher(Registry(acts), RoleDecider(), outside.recorder, MovableClock(), FaultList(), at_hand=True)
    made.witnessed = outside
    return made


def run(dispatcher: Dispatcher, name: str, group: str, *, loop: bool) -> None:
    caller = person(group)
    if loop:
        asyncio.run(dispatcher.run_async(name, caller, Nothing()))
    else:
        dispatcher.run(name, caller, Nothing())


@pytest.mark.parametrize("loop", [True, False])
def test_the_opening_entry_is_witnessed_before_the_body_runs(
    dispatcher: Dispatcher, acts: Acts, outside: Outside, loop: bool
) -> None:
    run(dispatcher, "act.destroy", "privacy", loop=loop)
    assert acts.ran == ["destroy"]
    assert outside.asked == [(outside.recorder.entries[0].log, 1)]


@pytest.mark.parametrize(
    ("name", "group", "loop"),
    [("act.destroy", "privacy", True), ("act.destroy", "privacy", False), ("act.later", "administer", True)],
)
def test_without_witnesses_it_does_not_run_and_the_record_says_so(
    dispatcher: Dispatcher, acts: Acts, outside: Outside, name: str, group: str, loop: bool
) -> None:
    outside.away = True
    with pytest.raises(Unavailable) as caught:
        run(dispatcher, name, group, loop=loop)
    assert caught.value.code == "unwitnessed"
    assert acts.ran == []
    closing = outside.recorder.entries[-1]
    assert (closing.phase, closing.outcome, closing.code) == ("closed", "refused", "unwitnessed")


@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize(("name", "group"), [("act.look", "administer"), ("act.own", "own-data")])
def test_reading_and_own_content_do_not_wait(
    dispatcher: Dispatcher, outside: Outside, name: str, group: str, loop: bool
) -> None:
    outside.away = True
    run(dispatcher, name, group, loop=loop)
    assert outside.asked == []


def test_without_a_policy_nobody_is_asked(acts: Acts) -> None:
    alone = Dispatcher(Registry(acts), RoleDecider(), ListRecorder(), MovableClock(), FaultList())
    run(alone, "act.destroy", "privacy", loop=False)
    assert acts.ran == ["destroy"]


def test_which_operations_wait(acts: Acts) -> None:
    assert {one.name for one in Registry(acts) if waits_for_witnesses(one)} == {"act.destroy", "act.later"}
