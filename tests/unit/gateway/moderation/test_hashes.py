"""Hashes of pictures: what matches and what does not, and the list as CSV."""

from __future__ import annotations

import pytest

from troth.gateway.moderation import hashes
from troth.gateway.moderation.takedowns import Entry, as_csv, of_csv
from troth.kernel.errors import Invalid

ONE = "a" * 64


def row(*fields: str, head: str = "") -> str:
    return f"hash,illegal,source,reason{head}\n{','.join((ONE, *fields))}\n"


def flipped(bits: int) -> str:
    return f"{int(ONE, 16) ^ ((1 << bits) - 1):064x}"


@pytest.mark.parametrize(("bits", "near"), [(0, True), (31, True), (32, False), (256, False)])
def test_the_threshold(bits: int, near: bool) -> None:
    assert hashes.nearest([flipped(bits)], ["0" * 63 + "1", ONE]) == (ONE if near else None)


def test_what_is_a_hash() -> None:
    assert hashes.written(f" {'AB' * 32} ") == "ab" * 32
    wrong = ("", "ab" * 31, "g" * 64, ONE + "\n\n0", "0" * 64, "f" * 64, "0" * 48 + "f" * 16)
    assert [hashes.written(one) for one in wrong] == [None] * len(wrong)


def test_a_list_out_and_in() -> None:
    entries = [Entry("tkd_1", ONE, True, "src", "why", "approved", "opr_a", 1)]
    assert of_csv(as_csv(entries).decode()) == [(ONE, True, "src", "why")]


def test_a_list_that_tells_quality() -> None:
    assert of_csv(row("true", "src", "why", "50", head=",quality")) == [(ONE, True, "src", "why")]


HEAD = "hash,illegal,source,reason\n"


@pytest.mark.parametrize(
    "text",
    [
        "", HEAD, "hash,illegal\na,true\n", row("maybe", "src", "why"), row("true", "src", "why", "more"),
        row("true", "src"), row("true"), row("true", "", "why"), row("true", "a b", "why"), row("true", "src", "<b>"),
        row("true", "src", "x" * 64), row("true", "src", "=HYPERLINK"),
        row("true", "src", "why", "49", head=",quality"), row("true", "src", "why", "", head=",quality"),
        row("true", "src", "why", head=",quality"),
    ],
)  # fmt: skip
def test_what_is_no_list(text: str) -> None:
    with pytest.raises(Invalid):
        of_csv(text)
