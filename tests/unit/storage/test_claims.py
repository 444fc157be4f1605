"""A client's request id counts once."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.kernel.errors import Conflict, Invalid
from troth.storage.claims import Claims
from worlds import MovableClock, sqlite


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def claims(tmp_path: Path, clock: MovableClock) -> Claims:
    return Claims(sqlite(tmp_path), clock, b"s" * 32)


def test_the_second_use_is_refused(claims: Claims) -> None:
    claims.claim("usr_a", "one")
    with pytest.raises(Conflict) as caught:
        claims.claim("usr_a", "one")
    assert caught.value.code == "duplicate-request"


def test_another_actor_may_use_the_same_id(claims: Claims) -> None:
    claims.claim("usr_a", "one")
    claims.claim("usr_b", "one")


def test_a_day_later_it_may_be_used_again(claims: Claims, clock: MovableClock) -> None:
    claims.claim("usr_a", "one")
    clock.forward(hours=25)
    claims.claim("usr_a", "one")


def test_the_id_itself_is_not_kept(claims: Claims, tmp_path: Path) -> None:
    claims.claim("usr_a", "jane.doe@example.com")
    assert not any(b"jane.doe" in path.read_bytes() for path in tmp_path.iterdir())


def test_an_endless_id_is_refused(claims: Claims) -> None:
    with pytest.raises(Invalid):
        claims.claim("usr_a", "x" * 256)
