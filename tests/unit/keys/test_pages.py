"""Pages: what is written is read, and nothing else is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.kernel.errors import IntegrityError
from troth.keys import pages
from troth.keys.leaf import Leaf
from troth.keys.pages import Branch, Header, Page, Ref

_addresses = st.binary(min_size=36, max_size=36)
_secrets = st.binary(min_size=32, max_size=32)
_leaves = st.dictionaries(_addresses, _secrets, max_size=20).map(Leaf.of)
_refs = st.builds(Ref, st.binary(min_size=16, max_size=16), _secrets)
_branches = st.lists(st.tuples(_addresses, _refs), min_size=1, max_size=12, unique_by=lambda one: one[0]).map(
    lambda parts: Branch(tuple(low for low, _ in sorted(parts, key=lambda one: one[0])), tuple(ref for _, ref in parts))
)
_pages = st.one_of(_leaves, _branches)


def sealed(ref: Ref, page: Page, version: int = 1) -> bytes:
    return pages.seal(ref, "eu", Header(3, ref.page, version), page)


@given(page=_pages)
def test_encoding_round_trips(page: Page) -> None:
    assert pages.decode(pages.encode(page)) == page


@given(raw=st.binary(max_size=400), kind=st.sampled_from([b"", b"L", b"B"]))
@settings(max_examples=300)
def test_foreign_plaintext_is_refused_or_is_its_own_encoding(raw: bytes, kind: bytes) -> None:
    try:
        page = pages.decode(kind + raw)
    except IntegrityError:
        return
    assert pages.encode(page) == kind + raw


@pytest.mark.parametrize(
    "raw",
    [
        b"L" + bytes(33),  # cut within an owner
        b"L" + bytes(34),  # an owner without units
        b"L" + bytes(33) + b"\x01" + bytes(35),  # cut within a unit
        b"L" + bytes(33) + b"\x02" + bytes(72),  # the same address twice
        b"B",
        b"B\x00\x00",
        b"B\x00\x01" + bytes(83),
        b"B\x00\x02" + bytes(168),  # bounds that do not rise
        b"X",
    ],
)
def test_broken_plaintext_is_refused(raw: bytes) -> None:
    with pytest.raises(IntegrityError):
        pages.decode(raw)


def test_a_leaf_writes_each_owner_once() -> None:
    entries = {bytes(32) + at.to_bytes(4, "big"): bytes(32) for at in range(224)}
    assert len(pages.encode(Leaf.of(entries))) == 1 + 34 + 224 * 36


@given(page=_pages, version=st.integers(1, 2**31))
def test_sealing_round_trips_with_its_header(page: Page, version: int) -> None:
    ref = Ref.fresh()
    header, opened = pages.open_sealed(ref, "eu", sealed(ref, page, version))
    assert (header, opened) == (Header(3, ref.page, version), page)


@given(page=_leaves, at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused(page: Leaf, at: int, bit: int) -> None:
    ref = Ref.fresh()
    raw = bytearray(sealed(ref, page))
    raw[at % len(raw)] ^= 1 << bit
    with pytest.raises(IntegrityError):
        pages.open_sealed(ref, "eu", bytes(raw))


def test_pages_cannot_be_swapped_moved_or_cut() -> None:
    one, other = Ref.fresh(), Ref.fresh()
    raw = sealed(one, Leaf.of({bytes(36): bytes(32)}))
    attempts = [
        (other, "eu", raw),
        (Ref(one.page, other.key), "eu", raw),
        (Ref(other.page, one.key), "eu", raw),
        (one, "us", raw),
        (one, "eu", raw[:-1]),
        (one, "eu", raw[:79]),
        (one, "eu", b"TKT2" + raw[4:]),
        (one, "eu", b""),
    ]
    for ref, jurisdiction, content in attempts:
        with pytest.raises(IntegrityError):
            pages.open_sealed(ref, jurisdiction, content)


def test_a_key_is_not_used_beyond_its_limit_nor_for_another_page() -> None:
    ref = Ref.fresh()
    for header in (Header(1, ref.page, 2**31 + 1), Header(1, bytes(16), 1)):
        with pytest.raises(IntegrityError) as refusal:
            pages.seal(ref, "eu", header, Leaf())
        assert refusal.value.code == "page-exhausted"


def test_the_same_page_is_never_sealed_to_the_same_bytes() -> None:
    ref = Ref.fresh()
    assert sealed(ref, Leaf()) != sealed(ref, Leaf())


def test_keys_stay_out_of_representations() -> None:
    ref = Ref(bytes(16), b"k" * 32)
    assert "k" * 8 not in repr(ref).replace(bytes(16).hex(), "")
    assert "secret" not in repr(Leaf.of({bytes(36): b"secret" * 6}))
