"""Each part can break alone; a part that hangs is false within two seconds and is not asked twice."""

from __future__ import annotations

import threading
import time

import pytest

from troth.kernel.errors import Unavailable
from troth.kernel.scope import current
from troth.telemetry.readiness import Readiness


def refuses() -> bool:
    raise Unavailable("no")


def breaks() -> bool:
    raise OSError("no")


@pytest.mark.parametrize("broken", [refuses, breaks, lambda: False])
def test_a_part_that_does_not_work_is_false(broken: object) -> None:
    readiness = Readiness({"good": lambda: True, "bad": broken})  # type: ignore[dict-item]
    assert readiness() == {"good": True, "bad": False}
    readiness.close()


def test_a_part_that_hangs_is_false_in_time_and_not_asked_again() -> None:
    asked, free = [], threading.Event()

    def hangs() -> bool:
        asked.append(1)
        return free.wait(30)

    readiness = Readiness({"good": lambda: True, "hangs": hangs}, fresh=0.0)
    began = time.monotonic()
    assert readiness() == {"good": True, "hangs": False}
    assert time.monotonic() - began < 2.0 + 8.0  # on a busy machine; a wait for the part would take 30
    assert readiness()["hangs"] is False
    assert len(asked) == 1
    free.set()
    while not readiness()["hangs"]:
        time.sleep(0.01)
    readiness.close()


def test_a_crowd_gets_one_answer() -> None:
    asked: list[int] = []
    readiness = Readiness({"part": lambda: bool(asked.append(1)) or True}, fresh=60)
    assert [readiness() for _ in range(50)] == [{"part": True}] * 50
    assert len(asked) == 1
    readiness.close()


def test_parts_see_every_tenant() -> None:
    readiness = Readiness({"system": lambda: current().system})
    assert readiness() == {"system": True}
    readiness.close()
