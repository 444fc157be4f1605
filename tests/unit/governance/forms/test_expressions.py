"""Conditions: what they mean, what they refuse, and that nothing in them ever runs."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from troth.governance.forms.expressions import LONGEST, Missing, check, evaluate, holds, names_in, parse
from troth.kernel.errors import Invalid

NAMES = {
    "a": 3, "b": 5, "day": date(2026, 1, 31), "today": date(2026, 3, 1), "who": "p1", "other": "p2", "none": None,
    "yes": True, "places": ("eu", "us"), "share(attest)": Fraction(2, 3), "late(attest)": 1, "count(places)": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a * b - 1", 14),
        ("-a + b", 2),
        ("today - day", 29),
        ("day + 29 == today", True),
        ("day - 31", date(2025, 12, 31)),
        ("1 < a <= 3 < b", True),
        ("a < b and not yes", False),
        ("yes or none == None", True),
        ("none != None", False),
        ("who in ('p1', 'p3')", True),
        ("'eu' in places", True),
        ("'au' not in places", True),
        ("who != other", True),
        ("share(attest) == 1", False),
        ("share(attest) < 1", True),
        ("late(attest) == 0", False),
        ("count(places)", 2),
    ],
)
def test_what_conditions_mean(text: str, value: object) -> None:
    assert evaluate(text, NAMES) == value


@pytest.mark.parametrize("text", ["none != who", "not none == who", "none < 3", "not (none > 3)", "yes and none == 1"])
def test_nothing_follows_from_what_nobody_entered(text: str) -> None:
    with pytest.raises(Missing, match="none"):
        evaluate(text, NAMES)
    assert holds(text, NAMES) is False


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "who.upper()",
        "who.x",
        "a ** b",
        "a / b",
        "a % b",
        "a // b",
        "a << b",
        "[a]",
        "{a}",
        "a[0]",
        "lambda: 1",
        "(a := 1)",
        "f'{a}'",
        "share('attest')",
        "share(attest, a)",
        "share(x=a)",
        "eval(a)",
        "a if yes else b",
        "1.5",
        "b'x'",
        "...",
        "1j",
        "a is b",
        "(a, b)",
        "_x",
        "*a",
        "",
        " ",
        "a b",
        "é",
        "x" * (LONGEST + 1),
        "not " * 30 + "yes",
        "+".join("1" * 60),
        "a in (" + "1," * 85 + ")",
        "~a",
        "await a",
        "print(a)",
        "share(share)(a)",
    ],
)
def test_what_no_condition_may_use(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        evaluate(text, NAMES)
    assert refused.value.code == "bad-condition"


@pytest.mark.parametrize("text", ["_x", "__builtins__", "é", "eval(a)", "open(a)", "who(a)"])
def test_such_names_are_refused_before_any_value_is_looked_up(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "a == who",
        "who < other",
        "day > 3",
        "a and yes",
        "not a",
        "who + other",
        "day + today",
        "day * 2",
        "yes + 1",
        "a in who",
        "unknown",
        "late(other)",
        "99999999 * 99999999",
        "day + 999999999",
        "places < places",
        "yes < yes",
        "-who",
        "-yes",
    ],
)
def test_kinds_that_do_not_go_together(text: str) -> None:
    with pytest.raises(Invalid):
        evaluate(text, NAMES)


def test_the_check_looks_at_what_or_passes_over() -> None:
    assert evaluate("yes or a < who", NAMES) is True
    with pytest.raises(Invalid):
        check("yes or a < who", NAMES)


def test_names_of_a_condition() -> None:
    assert names_in("a < b and share(attest) == 1") == {"a", "b", "share(attest)"}


_ATOMS = st.sampled_from([*"a b day today who none yes places 1 -2 None True 'x' share(attest) count(places)".split()])
_GLUE = st.sampled_from(
    " + | - | * | < | <= | == | != | in | and | or |(|)|,| not |.|[|]|**|:=| if |lambda:|()".split("|")
)
_TEXTS = st.lists(st.one_of(_ATOMS, _GLUE), max_size=14).map("".join) | st.text(max_size=40)


@given(_TEXTS)
@example("__builtins__")
@example("a.__class__.__mro__")
@settings(max_examples=400, deadline=None)
def test_whatever_is_written_has_a_value_or_a_refusal_and_calls_nothing(text: str) -> None:
    called: list[str] = []
    names = {**NAMES, "who": _Loud("p1", called)}
    try:
        value = evaluate(text, names)
    except (Invalid, Missing):
        value = None
    assert not isinstance(value, int) or abs(value) <= 10**15
    assert not callable(value)
    assert called == []


class _Loud(str):
    """A text that tells when something of it is called or asked for by a condition."""

    def __new__(cls, text: str, _called: list[str]) -> _Loud:
        return super().__new__(cls, text)

    def __init__(self, _text: str, called: list[str]) -> None:
        self._called = called

    def upper(self) -> str:
        self._called.append("upper")
        return "P1"
