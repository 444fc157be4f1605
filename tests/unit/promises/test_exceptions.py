"""Waivers out of the register: a second person, the named scope, strict times; what is broken excuses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from check_world import check
from troth.governance.forms.fields import read_value
from troth.governance.forms.reading import shipped
from troth.governance.house import Named
from troth.governance.records import FIRST, Done, Record
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import current
from troth.promises.exceptions import Exceptions, waivers_of
from troth.promises.waiving import LONGEST_DAYS
from troth.vault.rights.clocks import calendar_of

HOME = calendar_of("eu")
DAY = date(2026, 11, 20)
HERE, EDGE, TWO = check("here"), check("edge", part="edge"), check("two", ("CRY-02",))


def _ms(day: date, hour: int = 0) -> int:
    return round(datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp() * 1000)


def _record(done: Mapping[str, Done] | None = None, **values: Any) -> Record:
    raw: dict[str, Any] = {
        "promise": "CRY-01", "scope": "installation", "reason": "An old device", "instead": "A closed network",
        "asked_by": "usr_one", "starts": "2026-11-20", "ends": "2026-11-25", "approved_by": "usr_two",
    } | values  # fmt: skip
    fields = shipped()["exceptions"].fields
    typed = {name: read_value(fields[name], raw.get(name)) for name in fields}
    acts = {"open": Done(_ms(DAY), "usr_one"), "approve": Done(_ms(DAY, 12), "usr_two")} | dict(done or {})
    return Record("exceptions", "rec_one", "approved", raw, typed, _ms(DAY), _ms(DAY), 2, FIRST, done=acts)


def test_it_excuses_every_check_of_its_promise_that_has_its_scope() -> None:
    more = check("more")
    (one, other) = waivers_of([_record()], [HERE, EDGE, TWO, more], HOME)
    assert (one.promise, one.scope, other.scope) == ("CRY-01", "here", "more")
    assert (one.reason, one.compensating) == ("An old device", "A closed network")
    assert [waiver.scope for waiver in waivers_of([_record(scope="edge")], [HERE, EDGE], HOME)] == ["edge"]


def test_times_are_taken_at_their_strict_side() -> None:
    (one,) = waivers_of([_record()], [HERE], HOME)
    assert one.starts == _ms(DAY, 12), "never before it was approved"
    assert one.ends == round(HOME.end(date(2026, 11, 25)).timestamp() * 1000)
    (later,) = waivers_of([_record(starts="2026-11-22")], [HERE], HOME)
    assert later.starts == _ms(date(2026, 11, 22)) - HOME.west / timedelta(milliseconds=1)
    (long,) = waivers_of([_record(ends="2028-11-20")], [HERE], HOME)
    assert long.ends - long.starts == LONGEST_DAYS * 86_400_000


def test_what_was_withdrawn_excuses_nothing_from_then_on() -> None:
    (one,) = waivers_of([_record({"withdraw": Done(_ms(date(2026, 11, 21)), "usr_one")})], [HERE], HOME)
    assert one.ends == _ms(date(2026, 11, 21))


@pytest.mark.parametrize(
    "record",
    [
        _record({"approve": Done(_ms(DAY), "usr_one")}),
        _record({"open": Done(_ms(DAY), "usr_two")}),
        _record(asked_by="usr_two"),
        _record(asked_by=None),
        _record(reason=None),
        _record(starts=None),
        _record(ends="2026-11-19"),
        replace(_record(), done={"open": Done(_ms(DAY), "usr_one")}),
    ],
    ids=["alone", "entered-by-approver", "asked-by-approver", "nobody", "no-reason", "no-start", "over", "asked"],
)  # fmt: skip
def test_what_is_not_an_agreed_exception_excuses_nothing(record: Record) -> None:
    assert waivers_of([record], [HERE], HOME) == ()


class _Registers:
    home = HOME

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = False

    def records(self, tenant: str, form: str) -> list[Record]:
        assert (form, current().tenant) == ("exceptions", tenant)
        if self.broken:
            raise IntegrityError("no", code="register-chain")
        self.asked.append(tenant)
        return [_record()]


def _exceptions(house: str | None, registers: _Registers, fresh: float = 0.0, since: int | None = 0) -> Exceptions:
    named = Named(house, "House", since) if house else None
    return Exceptions(lambda: registers, lambda: named, [HERE], fresh=fresh)  # type: ignore[arg-type, return-value]


def test_what_was_approved_before_the_tenant_was_the_house_excuses_nothing() -> None:
    registers, approved = _Registers(), _ms(DAY, 12)
    assert len(_exceptions("ten_house", registers, since=approved).waivers()) == 1
    assert _exceptions("ten_house", registers, since=approved + 1).waivers() == ()
    assert _exceptions("ten_house", registers, since=None).waivers() == (), "nobody knows since when"


def test_only_the_house_is_asked_and_without_one_nothing_is_excused() -> None:
    registers = _Registers()
    assert len(_exceptions("ten_house", registers).waivers()) == 1
    assert _exceptions(None, registers).waivers() == ()
    assert registers.asked == ["ten_house"]


def test_a_register_that_does_not_hold_excuses_nothing() -> None:
    registers = _Registers()
    registers.broken = True
    assert _exceptions("ten_house", registers).waivers() == ()


def test_a_crowd_is_given_the_same_answer() -> None:
    registers = _Registers()
    several = _exceptions("ten_house", registers, fresh=60)
    assert several.waivers() == several.waivers()
    assert registers.asked == ["ten_house"]
