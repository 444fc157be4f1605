"""Sealed pieces: equal content gives equal bytes, and nothing else opens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from troth.backup.chunks import Chunks
from troth.kernel.errors import IntegrityError

CHUNKS = Chunks(b"s" * 32)


@given(some.binary(max_size=4096))
def test_what_is_sealed_opens_and_is_the_same_each_time(content: bytes) -> None:
    one = CHUNKS.seal(content)
    assert CHUNKS.open(one.name, one.content) == content
    assert CHUNKS.seal(content) == one


def test_the_content_is_not_readable_and_other_keys_name_it_otherwise() -> None:
    one = CHUNKS.seal(b"a secret " * 100)
    assert b"secret" not in one.content
    other = Chunks(b"t" * 32)
    assert other.seal(b"a secret " * 100).name != one.name
    with pytest.raises(IntegrityError):
        other.open(one.name, one.content)


@given(some.integers(min_value=0))
def test_a_flipped_bit_is_noticed(where: int) -> None:
    one = CHUNKS.seal(b"content " * 20)
    changed = bytearray(one.content)
    changed[where % len(changed)] ^= 1 << (where % 8)
    with pytest.raises(IntegrityError):
        CHUNKS.open(one.name, bytes(changed))


def test_pieces_cannot_take_each_others_place_or_be_cut() -> None:
    one, other = CHUNKS.seal(b"one"), CHUNKS.seal(b"other")
    for name, content in ((one.name, other.content), (one.name, one.content[:-1]), (one.name, b"")):
        with pytest.raises(IntegrityError):
            CHUNKS.open(name, content)
