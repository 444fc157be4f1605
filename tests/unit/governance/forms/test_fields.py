"""Fields: how each kind is written, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from troth.governance.forms.fields import KINDS, LISTS, Field, read_value, sample
from troth.kernel.errors import Invalid


def field(kind: str, **more: Any) -> Field:
    return Field("x", kind, "X", **more)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("moment", "2026-01-31T10:00:00+01:00", 1769850000000),
        ("number", -5, -5),
        ("days", 30, 30),
        ("percent", 100, 100),
        ("money", "EUR 12.50", "EUR 12.50"),
        ("flag", False, False),
        ("person", "usr_1", "usr_1"),
        ("people", ["a", "b"], ("a", "b")),
        ("country", "DE", "DE"),
        ("region", "eu-west-1", "eu-west-1"),
        ("digest", "0" * 64, "0" * 64),
        ("promise", "GOV-05", "GOV-05"),
        ("cias", ["C", "A"], ("C", "A")),
        ("long", "a\nb", "a\nb"),
        ("text", "", None),
        ("people", [], None),
        ("date", None, None),
        ("file", "obj_1", "obj_1"),
    ],
)
def test_what_is_read(kind: str, raw: Any, value: Any) -> None:
    assert read_value(field(kind), raw) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("date", "2026-02-30"),
        ("date", "20260131"),
        ("date", 20260131),
        ("date", "1960-01-01"),
        ("moment", "2026-01-31T10:00:00"),
        ("moment", "9999-12-31T23:59:59-23:00"),
        ("moment", 5),
        ("number", True),
        ("number", 1.0),
        ("days", -1),
        ("percent", 101),
        ("money", "12 EUR"),
        ("flag", 1),
        ("person", "a b"),
        ("people", "a"),
        ("people", ["a", "a"]),
        ("people", ["a"] * 501),
        ("country", "de"),
        ("digest", "0" * 63),
        ("promise", "GOV-5"),
        ("cias", ["X"]),
        ("text", "a\nb"),
        ("text", "x" * 301),
        ("text", "a\u202eb"),
        ("long", "\x00"),
        ("text", 5),
        ("choice", "z"),
        ("file", "../x"),
        ("region", "EU"),
    ],
)
def test_what_is_refused(kind: str, raw: Any) -> None:
    with pytest.raises(Invalid) as refused:
        read_value(field(kind, of=("a",) if kind == "choice" else ()), raw)
    assert (refused.value.code, refused.value.field) == ("bad-field", "x")


def test_bounds_of_the_form_hold() -> None:
    assert read_value(field("number", least=1, most=5), 5) == 5
    with pytest.raises(Invalid):
        read_value(field("number", least=1, most=5), 6)
    with pytest.raises(Invalid):
        read_value(field("people", least=2), ["a"])
    with pytest.raises(Invalid):
        read_value(field("text", most=3), "abcd")


def test_every_kind_has_a_sample() -> None:
    assert all(sample(field(kind)) is not None for kind in [*KINDS, *LISTS])


def test_a_refusal_does_not_repeat_what_was_written() -> None:
    with pytest.raises(Invalid) as refused:
        read_value(field("country"), "Ada Lovelace")
    assert "Ada" not in refused.value.advice
