"""A waiver needs two people, a reason and an end; it ends by the time alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from troth.promises.waiving import Waiver

DAY = 86_400_000
START = 1_800_000_000_000
WAIVER = Waiver("exc_a", "CRY-01", "one", "old client", "filtered", "usr_a", "usr_b", START, START + 30 * DAY)


def test_it_excuses_one_check_of_one_promise_until_its_end() -> None:
    assert WAIVER.excuses("CRY-01", "one", START)
    assert WAIVER.excuses("CRY-01", "one", START + 30 * DAY - 1)
    assert not WAIVER.excuses("CRY-01", "one", START + 30 * DAY)
    assert not WAIVER.excuses("CRY-01", "one", START - 1)
    assert not WAIVER.excuses("CRY-02", "one", START)
    assert not WAIVER.excuses("CRY-01", "two", START)


@pytest.mark.parametrize(
    "change",
    [
        {"approved_by": "usr_a"},
        {"approved_by": ""},
        {"asked_by": ""},
        {"reason": " "},
        {"ends": START},
        {"ends": START + 400 * DAY},
    ],
    ids=["self-approved", "nobody approved", "nobody asked", "no reason", "no time", "too long"],
)
def test_one_that_is_not_as_it_must_be_excuses_nothing(change: dict[str, Any]) -> None:
    assert not replace(WAIVER, **change).excuses("CRY-01", "one", START)
