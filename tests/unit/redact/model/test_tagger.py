"""The words of a text have the same chances, whatever they are read with."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from troth.redact import tiers
from troth.redact.model import lookup
from troth.redact.model.cut import cut
from troth.redact.model.lookup import APART, Lookup
from troth.redact.model.tagger import BLOCK, Piece, blocks
from troth.redact.model.words import split

LETTER = "Dear Ms Okonkwo, Richard Tremaine of Bergmann Logistics moved from Lyon to Qwxzy on 12 March 2021.\n"
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


@given(ANY_TEXT)
@example("\ud800\x00 Anna\n\n\nO'Neil_7 \U0001f600 ")
@example(" ")
def test_a_cut_is_what_the_words_are(text: str) -> None:
    words = cut(text)
    places = split(text)
    assert list(zip(words.starts.tolist(), words.ends.tolist(), strict=True)) == places
    assert words.words == [text[a:b] for a, b in places]
    assert words.spaced.tolist() == [int(i > 0 and places[i - 1][1] < a) for i, (a, _) in enumerate(places)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=12), st.data())
def test_texts_that_are_read_together_have_the_bits_that_they_have_alone(sizes: list[int], data: st.DataObject) -> None:
    tagger = tiers._tagger("fast")
    texts = [(LETTER * 9)[data.draw(st.integers(0, 90)) :][:size] for size in sizes]
    together = tagger.chances(piece for text in texts for piece in blocks(cut(text)))
    alone = (part for text in texts for part in tagger.chances(blocks(cut(text))))
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one, other)
    assert [r.spans for r in tagger.tag_many(texts)] == [tagger.tag(text).spans for text in texts]


def test_blocks_have_the_bits_of_the_whole() -> None:
    tagger = tiers._tagger("fast")
    words = cut(LETTER * 80)
    assert len(words) > 3 * BLOCK
    (whole,) = tagger.chances([Piece(words, 0, len(words))])
    assert np.array_equal(np.concatenate(list(tagger.chances(blocks(words)))), whole)


def test_only_public_words_are_kept_and_keeping_begins_anew_when_full() -> None:
    tagger = tiers._tagger("fast")
    fresh = Lookup.__new__(Lookup)
    fresh.__dict__.update(tagger._lookup.__dict__)
    fresh._kept = lookup._Kept(fresh._width)
    words = cut(LETTER + "4111222233334444").words
    first = fresh.vectors(words)
    kept = set(fresh._kept.rows)
    assert {"Dear", "Richard", "March", APART} <= kept
    assert not {"Okonkwo", "Qwxzy", "4111222233334444"} & kept
    for i in range(lookup._KEPT):
        fresh._kept.rows.setdefault(f"filler {i}", i % 7 + 1)
        if len(fresh._kept.rows) == lookup._KEPT:
            break
    fresh.vectors(["Manchester"])
    assert set(fresh._kept.rows) == {APART, "Manchester"}
    assert np.array_equal(fresh.vectors(words), first)
