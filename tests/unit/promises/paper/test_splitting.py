"""Sentences of a text: the same for everybody, in each layout, and none that readers cannot see."""

from __future__ import annotations

from hashlib import sha256

import pytest

from troth.kernel.errors import Invalid, TooLarge
from troth.promises.paper.shipped import shipped, shipped_file
from troth.promises.paper.splitting import MOST_BYTES, MOST_SENTENCES, sentences, text_of

# Digests: SHA-256 over the lines "place digest promises" of the list by which both papers were first restated.


def texts(text: str, layout: str = "plain") -> list[tuple[str, str]]:
    return [(one.at, one.text) for one in sentences(text, "markdown" if layout == "markdown" else "plain")]


@pytest.mark.parametrize(
    ("name", "count", "digest"),
    [
        ("zian", 75, "65eb13237102fc011d0b6340b217ec57ae788e382355814cb8149258cfc55d31"),
        ("dzine", 58, "394dc5fdd3570e397cffa3015dbe056c9b417956709c46a0c1ccbf2dd9f938eb"),
    ],
)
def test_the_source_papers_have_the_133_sentences_of_the_list(name: str, count: int, digest: str) -> None:
    found = sentences(text_of(shipped_file(f"{name}.txt")))
    rows = shipped(name).binding.sentences
    listed = "\n".join(
        f"{one.at} {one.sha256[:16]} {','.join(row.carries)}" for one, row in zip(found, rows, strict=True)
    )
    assert (len(found), sha256(listed.encode()).hexdigest()) == (count, digest)
    assert [one.sha256 for one in found] == [row.sha256 for row in rows]


def test_plain_lines_stand_alone() -> None:
    text = "1. Introduction\n\n  • One. Two!  Three?\r\nFour"
    assert texts(text) == [
        ("1.0", "1."), ("1.1", "Introduction"), ("3.0", "• One."), ("3.1", "Two!"), ("3.2", "Three?"), ("4.0", "Four"),
    ]  # fmt: skip


def test_paragraphs_of_markdown_go_over_lines() -> None:
    text = (
        "# Title #\n\nOne sentence that goes\nover lines. A second\none.\n\n> Quoted. Still.\n\n"
        "2) Numbered item,\n   going on.\n- bullet\n\n| A | B |\n|---|---|\n| c. | d |\n\n---\n```\ncode\n```\n"
    )
    assert texts(text, "markdown") == [
        ("1.0", "Title"), ("3.0", "One sentence that goes over lines."), ("4.0", "A second one."), ("7.0", "Quoted."),
        ("7.1", "Still."), ("9.0", "Numbered item, going on."), ("11.0", "bullet"), ("13.0", "A | B"),
        ("15.0", "c."), ("15.1", "| d"), ("19.0", "code"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "See Art. 30 GDPR and No. 7, e.g. the list, i.e. all of it.", "As Rev. 2 says, cf. Annex. IV, vs. others.",
        "Dr. Ho asks (Art. 5).",
    ],
)  # fmt: skip
def test_abbreviations_end_no_sentence(text: str) -> None:
    assert texts(text) == [("1.0", text)]


def test_other_full_stops_do() -> None:
    assert [text for _, text in texts("The answer is no. We keep nothing. Rev. Later on.")] == [
        "The answer is no.", "We keep nothing.", "Rev.", "Later on.",
    ]  # fmt: skip


def test_items_know_what_leads_to_them() -> None:
    found = sentences("We comply with:\n\n  • SOC 2\n  • **ISO**\n\nNothing else.\n\n• Alone")
    assert [one.words for one in found] == [
        "We comply with:", "We comply with: • SOC 2", "We comply with: • ISO", "Nothing else.", "• Alone",
    ]  # fmt: skip


def test_a_place_is_spoken_from_one() -> None:
    assert [one.place for one in sentences("A. B.")] == ["line 1 sentence 1", "line 1 sentence 2"]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"One.\nTw\xffo.", "Line 2 .* not UTF-8"),
        (b"One\0.", "Line 1 .*U\\+0000"),
        ("One.\n\nTurned \u202eround.".encode(), "Line 3 .*U\\+202E"),
        ("Zero\u200bwidth".encode(), "U\\+200B"),
        ("Isolated \u2066x\u2069".encode(), "U\\+2066"),
        ("Two\u2028lines".encode(), "U\\+2028"),
        ("Soft\u00adhyphen".encode(), "U\\+00AD"),
        ("Tag \U000e0041".encode(), "U\\+E0041"),
        (b"Half\rline", "U\\+000D"),
        (b"\x1b[31mred", "U\\+001B"),
    ],
)  # fmt: skip
def test_what_readers_cannot_see_is_refused_and_named(content: bytes, names: str) -> None:
    with pytest.raises(Invalid, match=names) as caught:
        text_of(content)
    assert caught.value.code == "bad-paper"


@pytest.mark.parametrize(
    "content",
    [
        b"x" * (MOST_BYTES + 1),
        b"x" * 200_000,
        b"x. " * (MOST_SENTENCES + 1),
        b"x.\n" * (MOST_SENTENCES + 1),
        b"x " * 2_000,
    ],
    ids=["bytes", "line", "sentences-of-a-line", "sentences", "sentence"],
)
def test_what_is_too_long_is_refused(content: bytes) -> None:
    with pytest.raises(TooLarge) as caught:
        sentences(text_of(content))
    assert caught.value.code == "paper-too-long"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert text_of("\ufeffOne.".encode()) == "One."
