"""TOB1 under attack: what was cut, swapped, joined, replayed or flipped is never accepted."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError
from troth.vault import framing
from troth.vault.framing import HEADER, SEGMENT, TAG, Facts


@dataclass(frozen=True)
class Unit:
    id: bytes = b"u" * 16
    generation: int = 1
    key: bytes = b"k" * 32


FACTS = Facts("eu", DataClass.USER_GENERATED, b"t" * 16, b"o" * 16, 2)
PLAIN = os.urandom(3 * SEGMENT + 100)
SEALED = framing.seal(FACTS, Unit(), PLAIN)
STEP = SEGMENT + TAG


def segment(sealed: bytes, index: int) -> bytes:
    return sealed[HEADER + index * STEP : HEADER + (index + 1) * STEP]


def refuse(sealed: bytes, facts: Facts = FACTS, unit: Unit = Unit()) -> None:
    with pytest.raises(IntegrityError):
        framing.open(sealed, facts, unit)


OTHERS = [
    replace(FACTS, tenant=b"T" * 16),
    replace(FACTS, object=b"O" * 16),
    replace(FACTS, version=1),
    replace(FACTS, data_class=DataClass.SYSTEM),
    replace(FACTS, jurisdiction="us"),
]


@pytest.mark.parametrize("expected", OTHERS)
def test_another_tenant_object_version_class_or_place_is_refused(expected: Facts) -> None:
    refuse(SEALED, expected)
    with pytest.raises(IntegrityError) as refusal:
        framing.open_range(SEALED, expected, Unit(), 0, 10)
    assert refusal.value.code == "tob1-other"


@pytest.mark.parametrize(("expected", "sealed_as"), [(a, b) for a, b in product([FACTS, *OTHERS], repeat=2) if a != b])
def test_swap_matrix_accepts_nothing(expected: Facts, sealed_as: Facts) -> None:
    refuse(framing.seal(sealed_as, Unit(), b"x"), expected)


@pytest.mark.parametrize("expected", OTHERS)
def test_relabelled_header_is_refused(expected: Facts) -> None:
    """The thief edits the header so that it says what is expected."""
    donor = framing.seal(expected, Unit(), b"")
    refuse(donor[:84] + SEALED[84:], expected)
    refuse(donor[:68] + SEALED[68:], expected)


def test_comparison_comes_before_any_key_use() -> None:
    with pytest.raises(IntegrityError) as refusal:
        framing.open(SEALED, OTHERS[0], Unit(key=b""))  # an unusable key would raise something else
    assert refusal.value.code == "tob1-other"


@pytest.mark.parametrize("unit", [Unit(key=b"x" * 32), Unit(id=b"v" * 16), Unit(generation=2)])
def test_another_key_is_refused(unit: Unit) -> None:
    refuse(SEALED, unit=unit)


def test_replay_of_an_older_version_is_refused() -> None:
    refuse(framing.seal(replace(FACTS, version=1), Unit(), PLAIN))


@pytest.mark.parametrize(
    "length", [0, 1, 83, HEADER, HEADER + TAG - 1, HEADER + TAG, *range(len(SEALED) - 40, len(SEALED))]
)
def test_truncation_is_refused(length: int) -> None:
    refuse(SEALED[:length])


@pytest.mark.parametrize("segments", [0, 1, 2, 3])
def test_truncation_at_a_segment_is_refused(segments: int) -> None:
    refuse(SEALED[: HEADER + segments * STEP])


def test_truncation_is_seen_by_a_range_that_reaches_the_end() -> None:
    cut = SEALED[: HEADER + 2 * STEP]
    with pytest.raises(IntegrityError):
        framing.open_range(cut, FACTS, Unit(), SEGMENT, SEGMENT)


@pytest.mark.parametrize("tail", [b"\0", bytes(TAG), SEALED[-STEP:], segment(SEALED, 0)])
def test_appending_is_refused(tail: bytes) -> None:
    refuse(SEALED + tail)


def test_reordered_repeated_and_dropped_segments_are_refused() -> None:
    head, parts = SEALED[:HEADER], [segment(SEALED, index) for index in range(4)]
    for order in ([1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 1, 3], [0, 1, 3], [1, 2, 3], [0, 1, 2, 2], [3]):
        refuse(head + b"".join(parts[index] for index in order))


def test_spliced_objects_are_refused() -> None:
    other = framing.seal(FACTS, Unit(), PLAIN)
    for index in range(4):
        parts = [segment(other if at == index else SEALED, at) for at in range(4)]
        refuse(SEALED[:HEADER] + b"".join(parts))
    refuse(other[:HEADER] + SEALED[HEADER:])
    refuse(SEALED[:84] + other[84:144] + SEALED[144:])
    refuse(SEALED[:144] + other[144:176] + SEALED[176:])


def test_commitment_is_checked() -> None:
    broken = bytearray(SEALED)
    broken[150] ^= 1
    with pytest.raises(IntegrityError) as refusal:
        framing.open(bytes(broken), FACTS, Unit())
    assert refusal.value.code == "tob1-commitment"


SMALL = framing.seal(FACTS, Unit(), b"a small object")


@pytest.mark.parametrize("place", range(len(SMALL)))
def test_every_byte_of_a_small_object_counts(place: int) -> None:
    for bit in range(8):
        broken = bytearray(SMALL)
        broken[place] ^= 1 << bit
        refuse(bytes(broken))


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_is_accepted(place: int, bit: int) -> None:
    broken = bytearray(SEALED)
    broken[place] ^= 1 << bit
    refuse(bytes(broken))
