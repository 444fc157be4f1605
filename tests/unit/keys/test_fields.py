"""Sealed fields."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from key_world import World
from troth.kernel.errors import Gone, IntegrityError
from troth.kernel.personal import PersonalFields
from troth.keys.fields import SealedFields
from troth.keys.tree import UnitKey, UnitRequest

OWNER = ("ten_a", "usr_a", "email")


@pytest.fixture
def fields(world: World) -> PersonalFields:
    return SealedFields(world.tree, bytes(32))


def test_a_field_opens_for_its_owner_and_label_only(fields: PersonalFields) -> None:
    sealed = fields.seal(*OWNER, b"ada@example.org")
    assert b"ada" not in sealed
    assert fields.open(*OWNER, sealed) == b"ada@example.org"
    fields.seal("ten_a", "usr_b", "email", b"other")
    for owner in (("ten_b", "usr_a", "email"), ("ten_a", "usr_b", "email"), ("ten_a", "usr_a", "name")):
        with pytest.raises(IntegrityError):
            fields.open(*owner, sealed)


def test_any_changed_byte_is_refused(fields: PersonalFields) -> None:
    sealed = fields.seal(*OWNER, b"x")
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(IntegrityError):
            fields.open(*OWNER, bytes(changed))
    for cut in (b"", sealed[:32], sealed[:-1]):
        with pytest.raises(IntegrityError):
            fields.open(*OWNER, cut)


def test_an_erased_persons_fields_are_noise(fields: PersonalFields, world: World) -> None:
    sealed, other = fields.seal(*OWNER, b"x"), fields.seal("ten_a", "usr_b", "email", b"y")
    world.tree.destroy_subject("ten_a", "usr_a")
    with pytest.raises(Gone):
        fields.open(*OWNER, sealed)
    with pytest.raises(Gone):
        fields.seal(*OWNER, b"again")
    assert fields.open("ten_a", "usr_b", "email", other) == b"y"


def test_a_blind_index_depends_on_key_label_and_value(fields: PersonalFields, world: World) -> None:
    other = SealedFields(world.tree, b"\x01" * 32)
    one = fields.blind_index("email", "ada@example.org")
    assert one == fields.blind_index("email", "ada@example.org")
    assert len(one) == 32
    rest = {
        fields.blind_index("name", "ada@example.org"),
        fields.blind_index("email", "b"),
        other.blind_index("email", "b"),
    }
    assert len(rest | {one}) == 4
    assert fields.blind_index("ab", "c") != fields.blind_index("a", "bc")


def test_many_are_sealed_as_one_is_and_in_few_writes(
    fields: SealedFields, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sealed together opens each for its owner; units of several hundred people are made in one write."""
    asked: list[int] = []
    make = world.tree.units

    def counted(requests: Sequence[UnitRequest]) -> list[UnitKey]:
        asked.append(len(requests))
        return make(requests)

    monkeypatch.setattr(world.tree, "units", counted)
    several = [(f"usr_{number % 450}", b"%d" % number) for number in range(460)]
    sealed = fields.seal_all("ten_a", "name", several)
    assert [fields.open("ten_a", who, "name", one) for (who, _), one in zip(several, sealed, strict=True)] == [
        text for _, text in several
    ]
    assert asked == [400, 50]
    world.tree.destroy_subject("ten_a", "usr_7")
    with pytest.raises(Gone):
        fields.seal_all("ten_a", "name", several[:9])
    assert fields.seal_all("ten_a", "name", []) == []
