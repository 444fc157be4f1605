"""Places and derivation of unit keys."""

from __future__ import annotations

import pytest

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Invalid
from troth.keys.units import Scope, UnitKey, UnitRequest, address, derive, named, subject_place, tenant_place

UNIT = bytes(range(16))
BINDING = ("ten_a", "usr_a", "account", "account")


def test_a_units_place_lies_under_its_subject_and_tenant() -> None:
    place = address("ten_a", "usr_a", UNIT)
    assert len(place) == 36
    assert place.startswith(subject_place("ten_a", "usr_a"))
    assert place.startswith(tenant_place("ten_a"))
    assert subject_place("ten_a", "usr_a") != subject_place("ten_b", "usr_a")


def test_names_do_not_run_together() -> None:
    assert named("a", "bc", DataClass.ACCOUNT, "d") != named("ab", "c", DataClass.ACCOUNT, "d")
    assert UnitRequest("a", "b", DataClass.ACCOUNT, None).name is None


def test_a_key_depends_on_secret_id_generation_and_owner() -> None:
    secret = bytes(32)
    keys = {
        derive(secret, UNIT, 1, BINDING).key,
        derive(b"\x01" * 32, UNIT, 1, BINDING).key,
        derive(secret, bytes(16), 1, BINDING).key,
        derive(secret, UNIT, 2, BINDING).key,
        *(derive(secret, UNIT, 1, (*BINDING[:at], "other", *BINDING[at + 1 :])).key for at in range(4)),
    }
    assert len(keys) == 8
    assert {len(key) for key in keys} == {32}


def test_the_published_vector_holds() -> None:
    """docs/reference/key-formats.md: a change here breaks every key in use."""
    key = derive(bytes(range(32)), UNIT, 1, BINDING)
    assert key.key.hex() == "69df7059322f46a1d9aef062094060104a4b76f38ae85b5fb4a10e8f2742e3a9"


def test_a_unit_key_does_not_show_itself() -> None:
    assert "6b6b" not in repr(UnitKey(UNIT, 1, b"k" * 32))
    assert "kkk" not in repr(UnitKey(UNIT, 1, b"k" * 32))


def test_scopes_name_ids_of_the_right_size_once() -> None:
    assert Scope.of_units([UNIT, UNIT]).units == (UNIT,)
    with pytest.raises(Invalid):
        Scope.of_units([b"short"])
