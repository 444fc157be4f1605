"""GOV-24: an exception has two people, an end, and is seen; from the register to what a stranger gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from troth.governance.house import Named
from troth.governance.moves import By
from troth.identity.users import NewUser
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Denied
from troth.promises import waiving
from troth.promises.check import Check, Result
from troth.promises.checks import exceptions
from troth.promises.exceptions import Exceptions
from troth.promises.runs import Run
from troth.promises.status import Declared, Evidence, Period, State, status
from troth.promises.system import System
from troth.storage.placement import installation as placed

(CHECK,) = exceptions.CHECKS
OTHERS = "CRY-01"


def test_kept_and_could_have_failed(run_once: Callable[[Check], Run]) -> None:
    run = run_once(CHECK)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested == 9


def test_a_waiver_that_excuses_after_its_end_turns_it_red(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiving.Waiver, "excuses", lambda self, promise, check, moment: self.starts <= moment)
    assert CHECK.observe(system).broken


def test_who_may_approve_their_own_turns_it_red(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.governance.moves._not_own", lambda *_args, **_kwargs: None)
    assert CHECK.observe(system).broken


def test_an_exception_of_the_house_from_its_register_to_the_state(system: System) -> None:
    """Nobody approves their own; with a second person it counts, for the house; its end is enough to end it."""
    governance, clock = system.governance, system.base.clock
    owner = system.identity.tenants.create("Waiving House", "eu")
    day = clock.now().date()
    told = {
        "promise": OTHERS, "scope": "installation", "reason": "An old device", "instead": "A closed network",
        "asked_by": "usr_one", "starts": (day - timedelta(days=2)).isoformat(),
        "ends": (day + timedelta(days=2)).isoformat(),
    }  # fmt: skip
    one, two = (By(owner.id, _person(system, owner.id, n), None, frozenset({"owner"}), "run_a") for n in ("one", "two"))
    record = governance.registers.open(one, "exceptions", told | {"asked_by": one.actor})
    several = Exceptions(lambda: governance.registers, lambda: Named(owner.id, "Owner", 0), [_check()])
    assert several.waivers() == (), "asked is not agreed"
    with pytest.raises(Denied):
        governance.registers.move(one, "exceptions", record.id, "approve", values={"note": "Yes"})
    governance.registers.move(two, "exceptions", record.id, "approve", values={"note": "Yes"})
    (waiver,) = several.waivers()
    assert (waiver.reason, waiver.asked_by, waiver.approved_by) == ("An old device", one.actor, two.actor)
    now = epoch_ms(clock.now())
    assert [_state(waiver, at) for at in (now, waiver.ends - 1, waiver.ends)] == [
        State.EXCEPTION, State.EXCEPTION, State.NOT_KEPT,
    ]  # fmt: skip
    _named(system, owner.id)
    try:
        assert {one.id for one in _wired(system)} == {record.id}
    finally:
        _named(system, None)


def _person(system: System, tenant: str, name: str) -> str:
    new = NewUser(tenant, f"{name}.waiving@example.org", name, frozenset({"owner"}), "svc_test")
    return system.identity.users.create(new).id


def _named(system: System, house: str | None) -> None:
    with system.base.database.write() as connection:
        connection.execute(update(placed).values(house=house, house_at=0))


def _wired(system: System) -> tuple[waiving.Waiver, ...]:
    return Exceptions(lambda: system.governance.registers, system.governance.house.named, [_check()]).waivers()


def _check() -> Check:
    return replace(CHECK, id="one", promises=(OTHERS,), part="installation")


def _state(waiver: waiving.Waiver, at: int) -> State:
    run = Run("one", at, Result.FAIL, Result.FAIL, 1, 1, "0" * 64, sequence=1)
    declared = [Declared("one", (OTHERS,), 7200, "0" * 64, "0" * 64)]
    found = status(
        OTHERS, declared, {"one": [Evidence(run, "0" * 64)]}, waivers=[waiver], period=Period(at, at), now=at
    )
    return found.state
