"""Alarms by a second channel: red when it tells nobody or too late, nothing where none is set up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from promise_world import shown
from troth.governance.alarming import LIMIT_MS, SecondChannel
from troth.governance.calendar_tables import deliveries
from troth.kernel.clock import epoch_ms
from troth.mail.alarms import Alarm
from troth.promises.check import Check, Result
from troth.promises.checks.alerts import CHECKS
from troth.promises.status import Run
from troth.promises.system import System
from troth.storage.placement import installation as row

(LOOK,) = CHECKS


class Taking:
    """A relay that takes everything; what it took, nobody asks."""

    def send(self, _letter: Any) -> None:
        """Take it."""


@pytest.fixture
def told(system: System) -> Iterator[System]:
    """An installation with a house, a relay and a webhook of the house, that were made for one test."""
    tenant = system.identity.tenants.create("A publisher", "eu").id
    system.governance.house.name(tenant, "usr_one")
    before = system.governance.deliveries
    ready = replace(before, senders={**before.senders, "mail": Taking()})
    channel = SecondChannel(ready, lambda _connection, asked, _kind: ["whk_a"] if asked == tenant else [])
    yield replace(system, governance=replace(system.governance, deliveries=ready, second=channel))
    with system.base.database.write() as connection:
        connection.execute(deliveries.delete())
        connection.execute(update(row).values(house=None))


def test_where_no_channel_is_set_up_nothing_is_said(run_once: Callable[[Check], Run]) -> None:
    run = run_once(LOOK)
    assert (run.result, run.control) == (Result.NOT_CONFIGURED, Result.FAIL)


def test_it_arrives_and_the_house_gets_one_test_a_day(told: System) -> None:
    assert [shown(LOOK, told), shown(LOOK, told)] == [Result.PASS, Result.PASS]
    with told.base.database.read() as connection:
        kinds = connection.execute(select(deliveries.c.kind)).scalars().all()
    assert kinds == ["alarm.test"]


@pytest.mark.parametrize(
    ("took", "result"), [(LIMIT_MS, Result.PASS), (LIMIT_MS + 1, Result.FAIL), (None, Result.FAIL)]
)
def test_an_alarm_to_the_house_that_is_late_breaks_it(told: System, took: int | None, result: Result) -> None:
    house = told.governance.house.named()
    assert house is not None
    assert told.governance.second.tell(Alarm("elv_1", house.tenant, (), "Emergency", "Look.")) == 1
    put = epoch_ms(told.base.clock.now()) - LIMIT_MS - 60_000
    values = {"put_at": put} | ({"state": "done", "done_at": put + took} if took is not None else {})
    with told.base.database.write() as connection:
        connection.execute(update(deliveries).where(deliveries.c.kind == "alarm").values(values))
    assert shown(LOOK, told) is result


def test_without_a_second_channel_or_without_retries_it_is_red(told: System, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("troth.governance.alarming.SecondChannel.tell", lambda *_: 1)
        assert shown(LOOK, told) is Result.FAIL
    monkeypatch.setattr("troth.governance.deliveries.PAUSES", (LIMIT_MS,) * 9)
    assert shown(LOOK, told) is Result.FAIL
