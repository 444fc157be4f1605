"""Whose rows a piece of work may see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from troth.kernel.caller import Caller, anonymous
from troth.kernel.scope import NOBODY, SYSTEM, Scope, as_system, current, within


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """Whatever a house that other tests keep open has set in this thread."""
    with within(NOBODY):
        yield


def test_a_caller_has_the_scope_of_what_they_are() -> None:
    member = Caller("usr_a", "user", tenant="ten_a", roles=frozenset({"operator"}))
    assert Scope.of(member) == Scope("ten_a")
    assert Scope.of(Caller("usr_o", "operator")) == SYSTEM
    assert Scope.of(anonymous()) == Scope.of(Caller("svc_x", "service")) == NOBODY


def test_a_block_has_its_scope_and_puts_the_one_before_back() -> None:
    assert current() == NOBODY
    with pytest.raises(ZeroDivisionError), within(Scope("ten_a")):
        with within(SYSTEM):
            assert current() == SYSTEM
        assert current() == Scope("ten_a")
        raise ZeroDivisionError
    assert current() == NOBODY


def test_a_function_of_the_system_is_it_for_its_length() -> None:
    @as_system
    def ask(again: int) -> Scope:
        return ask(again - 1) if again else current()

    with within(Scope("ten_a")):
        assert ask(2) == SYSTEM
        assert current() == Scope("ten_a")
