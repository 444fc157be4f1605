"""GOV-24: an exception to a promise is approved by a second person, has an end, is seen, and ends by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from troth.governance.looking import Look
from troth.governance.moves import By, Wish, moved, opening
from troth.governance.records import Record, fold
from troth.governance.registers import Registers
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Denied
from troth.promises.catalogue import catalogue
from troth.promises.check import Check, Facts, Result, counted
from troth.promises.exceptions import FORM, waivers_of
from troth.promises.probe import refused
from troth.promises.report import row_of
from troth.promises.runs import Run
from troth.promises.status import Declared, Evidence, Period, Standing, State, status
from troth.promises.system import System
from troth.promises.waiving import Waiver

_PROMISE, _CODE = "CRY-01", "0" * 64
_TENANT, _FRESH = "ten_selfcheck", 86_400
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000


def _excused(_system: System) -> Facts:
    return Facts(0, 0, 0)  # only the name of the check is asked for


_BROKEN = Check("made-up", (_PROMISE,), "Nothing: it is made up for this look.", _excused, _excused, part="edge")


def _by(name: str) -> By:
    return By(_TENANT, name, None, frozenset({"owner"}), "run_selfcheck")


class _Asked:
    """A made-up exception in the form of this installation; nothing of it is written."""

    def __init__(self, registers: Registers, now: int) -> None:
        self.registers = registers
        self.form = registers.forms.get(FORM)
        self.look = Look(now, registers.home, lists=registers.lists)
        day = self.look.moment.date()
        told = {"promise": _PROMISE, "scope": "edge", "reason": "Made up", "instead": "Nothing", "asked_by": "usr_one"}
        dates = {"starts": day - timedelta(days=3), "ends": day + timedelta(days=3)}
        values = told | {name: one.isoformat() for name, one in dates.items()}
        self.events = [opening(self.form, "rec_selfcheck", Wish(values, b"\0" * 32), _by("usr_one"), self.look)]

    @property
    def record(self) -> Record:
        return fold(self.form, self.events)

    def approve(self, by: str) -> None:
        """Raises Denied(own-move) for who asked."""
        wish = Wish({"note": "Agreed"}, b"\0" * 32)
        self.events.append(moved(self.form, self.record, "approve", wish, _by(by), look=self.look))

    def waivers(self, check: Check = _BROKEN) -> tuple[Waiver, ...]:
        return waivers_of([self.record], [check], self.registers.home)


def _said(waivers: tuple[Waiver, ...], at: int, result: Result | None = Result.FAIL) -> Standing:
    """What is said of the promise at a moment whose newest run had that result; None: nobody looked."""
    run = Run(_BROKEN.id, at, result or Result.PASS, Result.FAIL, 1, 1, _CODE, sequence=1)
    evidence = {_BROKEN.id: [Evidence(run, _CODE)]} if result else {}
    declared = [Declared(_BROKEN.id, (_PROMISE,), _FRESH, _CODE, _CODE)]
    return status(_PROMISE, declared, evidence, waivers=waivers, period=Period(at, at), now=at)


def _ends_by_itself(system: System, kept: Callable[[Waiver], Waiver]) -> Facts:
    now = epoch_ms(system.base.clock.now())
    registers = system.governance.registers
    asked = _Asked(registers, now)
    outcomes = [_said(asked.waivers(), now + 1).state is State.NOT_KEPT]
    outcomes.append(refused(lambda: _Asked(registers, now).approve("usr_one"), Denied, code="own-move"))
    asked.approve("usr_two")
    waivers = tuple(kept(one) for one in asked.waivers())
    live, week = _said(waivers, now + _HOUR_MS), now + 7 * _DAY_MS
    shown = row_of(catalogue()[_PROMISE], live, {}).waivers
    outcomes += [
        live.state is State.EXCEPTION,
        [(one.reason, one.ends > now) for one in shown] == [("Made up", True)],
        _said(waivers, week).state is State.NOT_KEPT,
        _said(waivers, now - 1).state is State.NOT_KEPT,
        _said(waivers, now + _HOUR_MS, None).state is State.UNKNOWN,
        _said(waivers, now + _HOUR_MS, Result.ERROR).state is State.UNKNOWN,
        not asked.waivers(replace(_BROKEN, part="house")),
    ]
    return counted(outcomes)


def _lasting(waiver: Waiver) -> Waiver:
    """The known-bad exception: its end passes, and it goes on to excuse."""
    return replace(waiver, ends=waiver.ends + 30 * _DAY_MS)


CHECKS = (
    Check(
        "exceptions",
        ("GOV-24",),
        "An exception is made up in the form of this installation: who asked may not approve it, with a second "
        "person's yes the promise is kept with an exception that shows its reason and end, and a week later it is not "
        "kept. What people wrote in exceptions of the house is not judged.",
        lambda system: _ends_by_itself(system, lambda one: one),
        lambda system: _ends_by_itself(system, _lasting),
        population="rules of an exception",
        scope="the form of exceptions, with a synthetic one",
    ),
)
