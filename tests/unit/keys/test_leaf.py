"""Leaves as runs of bytes say the same as a table of entries would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from troth.keys.leaf import Leaf, lost

_subjects = st.binary(min_size=32, max_size=32)
_lows = st.sampled_from([bytes(4), bytes(3) + b"\x01", b"\x01" * 4, b"\xff" * 4])
# Secrets hold the same bytes as addresses do, so that a search inside a run meets them in the wrong place.
_secrets = st.sampled_from([bytes(32), bytes(3) + b"\x01" * 29, b"\x01" * 32, b"\xff" * 32])
_few = st.sampled_from([bytes(32), bytes(31) + b"\x01", b"\x07" * 32, b"\xff" * 32])
_entries = st.dictionaries(st.builds(lambda s, low: s + low, _few | _subjects, _lows), _secrets, max_size=14)
_places = st.builds(lambda s, low: s + low, _few, _lows)


@given(_entries)
def test_entries_come_back_in_rising_order(entries: dict[bytes, bytes]) -> None:
    leaf = Leaf.of(entries)
    assert leaf.entries == entries
    assert list(leaf.entries) == sorted(entries)
    assert len(leaf) == len(entries)


@given(_entries, _places)
def test_an_address_is_found_where_it_is_and_nowhere_else(entries: dict[bytes, bytes], place: bytes) -> None:
    leaf = Leaf.of(entries)
    assert leaf.get(place) == entries.get(place)
    assert all(leaf.get(one) == secret for one, secret in entries.items())


@given(_entries, st.lists(st.tuples(_places, _places | st.just(b"\xff" * 37)), max_size=3))
def test_without_a_range_nothing_of_it_is_left_and_all_else_is(
    entries: dict[bytes, bytes], ranges: list[tuple[bytes, bytes]]
) -> None:
    kept = {place: secret for place, secret in entries.items() if not any(low <= place < high for low, high in ranges)}
    leaf = Leaf.of(entries)
    left = leaf.without(ranges)
    assert left.entries == kept
    assert (left is leaf) == (kept == entries)


@given(_entries, _entries)
def test_what_is_lost_is_named(before: dict[bytes, bytes], after: dict[bytes, bytes]) -> None:
    runs = {subject: [units] for subject, units in Leaf.of(after).runs.items()}
    assert set(lost(Leaf.of(before), runs)) == {place for place, secret in before.items() if after.get(place) != secret}


def test_a_subject_in_two_leaves_is_not_lost() -> None:
    subject = bytes(32)
    entries = {subject + bytes([at] * 4): bytes([at] * 32) for at in range(6)}
    halves = [Leaf.of(dict(list(entries.items())[a:b])) for a, b in ((0, 3), (3, 6))]
    assert lost(Leaf.of(entries), {subject: [half.runs[subject] for half in halves]}) == []
