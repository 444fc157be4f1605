"""MON-08: the looks at the door judged by the objective; silence is unknown, an outage is red."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from troth.kernel.clock import epoch_ms
from troth.promises.check import Result, judge
from troth.promises.checks import availability
from troth.promises.system import System
from troth.telemetry.samples import EDGES_MS, HOUR_MS, hours

(CHECK,) = availability.CHECKS
LATENCY = str([60] + [0] * len(EDGES_MS))


@pytest.fixture(autouse=True)
def nothing_looked_at(system: System) -> Iterator[None]:
    yield
    with system.base.database.write() as connection:
        connection.execute(hours.delete())


def _plant(system: System, *, available: int, most: int = 26, every: int = 1) -> None:
    hour = epoch_ms(system.base.clock.now()) // HOUR_MS * HOUR_MS
    rows = [
        {"target": "sign-in", "hour": hour - n * HOUR_MS, "due": 60, "looks": 60, "available": available,
         "latency": LATENCY}
        for n in range(0, most, every)
    ]  # fmt: skip
    with system.base.database.write() as connection:
        connection.execute(hours.insert(), rows)


def _result(system: System) -> Result:
    return judge(CHECK.observe(system))


def test_nobody_looked(system: System) -> None:
    assert _result(system) is Result.ERROR, "silence is unknown, never available"


def test_a_day_of_looks_keeps_it_and_the_control_fails(system: System) -> None:
    _plant(system, available=60)
    assert _result(system) is Result.PASS
    assert judge(CHECK.sabotage(system)) is Result.FAIL


def test_an_outage_breaks_it(system: System) -> None:
    _plant(system, available=54)
    assert _result(system) is Result.FAIL


def test_a_day_with_holes_is_unknown(system: System) -> None:
    _plant(system, available=60, every=3)
    assert _result(system) is Result.ERROR


def test_hours_without_looks_that_read_as_up_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    _plant(system, available=60)
    monkeypatch.setattr("troth.telemetry.figures._state", lambda *_: "available")
    assert _result(system) is Result.FAIL
