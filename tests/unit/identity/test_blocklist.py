"""The block list: the shipped table, the search, and a table built anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.identity import blocklist
from troth.identity.blocklist import BUCKETS, SUFFIX_BYTES, BlockList, packed, table_of
from unit.identity.world import BLOCKED


@pytest.mark.parametrize("password", ["password123", "PASSWORD123", "1qaz2wsx3edc", "qwerty123456", "iloveyou1"])
def test_the_shipped_list_knows_what_everybody_tries(password: str) -> None:
    assert password in BLOCKED


def test_the_shipped_list_is_large_and_small_enough() -> None:
    assert len(BLOCKED) == 474_743
    assert len(BLOCKED) * SUFFIX_BYTES <= 2 << 20


@settings(deadline=None)
@given(st.text(min_size=20, max_size=40))
def test_other_passwords_are_not_on_it(password: str) -> None:
    assert f"{password} violet harbour" not in BLOCKED


@settings(deadline=None)
@given(st.sets(st.text(st.characters(codec="utf-8"), min_size=8, max_size=20), min_size=1, max_size=50))
def test_a_table_finds_exactly_what_it_was_made_of(passwords: set[str]) -> None:
    table = BlockList(table_of(passwords))
    assert all(one in table for one in passwords)
    assert f"{min(passwords)} and more" not in table


def test_short_passwords_do_not_enter_and_order_does_not_matter() -> None:
    assert table_of(["short", "long enough", "also long enough"]) == table_of(["also long enough", "long enough"])


@pytest.mark.parametrize("table", [b"", b"\0" * (BUCKETS - 1), b"\1" * BUCKETS, b"\0" * (BUCKETS + 1)])
def test_a_cut_table_stops_the_start(table: bytes) -> None:
    with pytest.raises(ValueError, match="cut short"):
        BlockList(table)


def test_entries_that_begin_alike_are_told_apart() -> None:
    entries = [b"\x00\x07" + bytes([number, 1, 2, 3]) for number in range(200)]
    table = BlockList(packed(entries))
    assert len(table) == 200
    with pytest.raises(ValueError, match="256"):
        packed([b"\0\0" + number.to_bytes(4) for number in range(300)])


def test_a_shipped_table_that_became_shorter_is_no_list_without_the_password(tmp_path: Path) -> None:
    file = tmp_path / "table"
    file.write_bytes(table_of(["long enough"]))
    table = BlockList(blocklist._Shipped(str(file)))
    assert "long enough" in table
    os.truncate(file, BUCKETS)
    with pytest.raises(ValueError, match="cut short"):
        _ = "long enough" in table
