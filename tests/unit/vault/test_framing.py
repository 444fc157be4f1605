"""TOB1 as a format: round trips, sizes, ranges, refusals of facts that do not fit."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError, Invalid
from troth.vault import framing

SIZES = (
    0,
    1,
    framing.SEGMENT - 1,
    framing.SEGMENT,
    framing.SEGMENT + 1,
    4 * framing.SEGMENT,
    4 * framing.SEGMENT + 1,
    9 * framing.SEGMENT,
)


@dataclass(frozen=True)
class Unit:
    id: bytes = b"u" * 16
    generation: int = 1
    key: bytes = b"k" * 32


FACTS = framing.Facts("eu", DataClass.USER_GENERATED, b"t" * 16, b"o" * 16, 1)


@pytest.mark.parametrize("size", SIZES)
def test_opens_to_what_was_sealed(size: int) -> None:
    plain = os.urandom(size)
    sealed = framing.seal(FACTS, Unit(), plain)
    assert framing.open(sealed, FACTS, Unit()) == plain
    assert len(sealed) == framing.sealed_size(size)
    assert framing.plain_size(sealed) == size


def test_header_is_176_bytes_and_overhead_at_1_kib_is_192() -> None:
    assert len(framing.seal(FACTS, Unit(), bytes(1024))) - 1024 == 192


def test_sealing_twice_gives_different_bytes() -> None:
    one, two = (framing.seal(FACTS, Unit(), b"same") for _ in range(2))
    assert one[84:] != two[84:]
    assert one[68:84] != two[68:84]


def test_plaintext_is_not_in_the_sealed_bytes() -> None:
    assert b"needle-needle" not in framing.seal(FACTS, Unit(), b"needle-needle" * 100)


def test_header_claims_are_readable_before_any_key() -> None:
    header = framing.read_header(framing.seal(FACTS, Unit(generation=7), b"x"))
    assert (header.facts, header.unit, header.generation) == (FACTS, b"u" * 16, 7)


@settings(max_examples=40, deadline=None)
@given(start=st.integers(0, 3 * framing.SEGMENT), length=st.integers(0, 2 * framing.SEGMENT))
def test_range_is_a_slice(start: int, length: int) -> None:
    assert framing.open_range(_SEALED, FACTS, Unit(), start, length) == _PLAIN[start : start + length]


_PLAIN = os.urandom(2 * framing.SEGMENT + 1000)
_SEALED = framing.seal(FACTS, Unit(), _PLAIN)


def test_range_does_not_touch_other_segments() -> None:
    broken = bytearray(_SEALED)
    broken[-1] ^= 1
    assert framing.open_range(bytes(broken), FACTS, Unit(), 5, 10) == _PLAIN[5:15]
    with pytest.raises(IntegrityError):
        framing.open_range(bytes(broken), FACTS, Unit(), 2 * framing.SEGMENT, 10)


def test_negative_range_is_refused() -> None:
    with pytest.raises(Invalid):
        framing.open_range(_SEALED, FACTS, Unit(), -1, 10)


@pytest.mark.parametrize(
    ("facts", "unit"),
    [
        (replace(FACTS, tenant=b"short"), Unit()),
        (replace(FACTS, object=b"short"), Unit()),
        (replace(FACTS, version=0), Unit()),
        (replace(FACTS, version=1 << 64), Unit()),
        (replace(FACTS, jurisdiction="mars"), Unit()),
        (FACTS, Unit(id=b"short")),
        (FACTS, Unit(key=b"short")),
        (FACTS, Unit(generation=0)),
    ],
)
def test_facts_that_do_not_fit_are_refused(facts: framing.Facts, unit: Unit) -> None:
    with pytest.raises(Invalid):
        framing.seal(facts, unit, b"x")


@given(noise=st.binary(max_size=400))
def test_noise_is_never_tob1(noise: bytes) -> None:
    with pytest.raises(IntegrityError):
        framing.open(noise, FACTS, Unit())


@pytest.mark.parametrize("place", [4, 5, 6, 7])
def test_unknown_algorithm_class_segment_or_jurisdiction_is_refused(place: int) -> None:
    broken = bytearray(framing.seal(FACTS, Unit(), b"x"))
    broken[place] = 99
    with pytest.raises(IntegrityError) as refusal:
        framing.read_header(bytes(broken))
    assert refusal.value.code == "tob1-format"


def test_threads_do_not_share_their_buffers() -> None:
    failures: list[int] = []

    def work(seed: int) -> None:
        plain = bytes([seed]) * (300_000 + seed)
        for _ in range(20):
            if framing.open(framing.seal(FACTS, Unit(), plain), FACTS, Unit()) != plain:
                failures.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_plaintext_does_not_stay_in_the_reused_buffer() -> None:
    framing._free.clear()
    framing.open(framing.seal(FACTS, Unit(), b"needle-needle" * 50_000), FACTS, Unit())
    (used,) = framing._free
    assert b"needle" not in bytes(used)
    broken = bytearray(framing.seal(FACTS, Unit(), b"needle-needle" * 50_000))
    broken[-1] ^= 1
    with pytest.raises(IntegrityError):
        framing.open(bytes(broken), FACTS, Unit())
    assert [b"needle" in bytes(one) for one in framing._free] == [False]


def test_few_buffers_are_kept_and_none_for_small_objects() -> None:
    framing._free.clear()
    framing.open(framing.seal(FACTS, Unit(), b"x" * 1000), FACTS, Unit())
    assert not framing._free
    with ExitStack() as stack:
        for _ in range(9):
            stack.enter_context(framing._scratch(1 << 20))
    assert len(framing._free) == 4
