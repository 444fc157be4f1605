"""An operator reads the schedule of the checks, and says yes to exactly what was read."""

from __future__ import annotations

from typing import Any

import pytest

from house import House
from troth.promises.check import Check
from troth.promises.checks import all_checks


@pytest.fixture
def shown(home: House) -> dict[str, Any]:
    return home.ok("GET", "/v1/checks/schedule", home.operator)


def test_the_schedule_names_every_check_with_pace_promises_and_code(home: House, shown: dict[str, Any]) -> None:
    """Also those of registers, of which the house has one of its own."""
    rows = {one["check"]: one for one in shown["checks"]}
    running: tuple[Check, ...] = home.installation.troth.runner.checks
    assert rows.keys() == {one.id for one in running} == {"register-visitors", *(one.id for one in all_checks())}
    for check in running:
        assert (rows[check.id]["code"], rows[check.id]["promises"]) == (check.digest, list(check.promises))
        assert 0 < rows[check.id]["every"] < rows[check.id]["fresh"]
    assert shown["in_force"] is (shown["version"] == 1), "a later version counts a minute after its entry"
    assert (shown["proposed"], shown["changes"]) == (shown["digest"], [])


def test_what_is_in_force_or_was_not_read_is_not_confirmed(home: House, shown: dict[str, Any]) -> None:
    for digest, refusal in ((shown["digest"], "nothing-to-confirm"), ("0" * 64, "schedule-changed")):
        answer = home.call("POST", "/v1/checks/schedule", home.operator, digest=digest, reason="checked")
        assert (answer.status_code, answer.json()["code"]) == (409, refusal)
    assert home.ok("GET", "/v1/checks/schedule", home.operator) == shown


def test_a_changed_check_is_named_and_confirmed(
    home: House, shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And changed back, so that the house stays as it was."""
    for every in (7200, 3600):
        monkeypatch.setattr(home.installation.troth.runner.evidence.schedules, "_every", every)
        changed = home.ok("GET", "/v1/checks/schedule", home.operator)
        assert changed["proposed"] != changed["digest"]
        assert {one["change"] for one in changed["changes"]} == {"every"}
        made = home.ok("POST", "/v1/checks/schedule", home.operator, digest=changed["proposed"], reason="rule")
        assert (made["version"], made["in_force"], made["changes"]) == (changed["version"] + 1, False, [])
        assert made["confirmed_by"] == home.ok("GET", "/v1/me", home.operator)["id"]
    assert made["digest"] == shown["digest"]
