"""A name that was found once is found wherever it stands again."""

from __future__ import annotations

from troth.redact.detect import Span
from troth.redact.model.mentions import repeated
from troth.redact.model.words import split


def again(text: str, *known: str, score: float = 0.9) -> list[str]:
    spans = [Span(text.index(k), text.index(k) + len(k), "person", score, "fast") for k in known]
    places = split(text)
    words = [text[a:b] for a, b in places]
    return [text[s.start : s.end] for s in repeated(places, words, sorted(spans, key=lambda s: s.start))]


def test_surnames_possessives_and_capitals_are_mentions() -> None:
    text = "Anna Meier called. Meier's office, ANNA and Ms Meier again; meierish is none."
    assert again(text, "Anna Meier") == ["Meier", "ANNA", "Meier"]


def test_a_name_that_the_text_also_uses_as_a_word_is_left_alone() -> None:
    assert again("Will Mark sign? Mark will mark it. Will you?", "Will Mark") == []


def test_an_unsure_single_word_speaks_for_no_other() -> None:
    assert again("Paris said so. Paris is big.", "Paris", score=0.6) == []
    assert again("Tabea said so. Tabea is big.", "Tabea", score=0.9) == ["Tabea"]


def test_particles_and_titles_are_no_names() -> None:
    assert again("Von der Leyen spoke. Von Der Haus.", "Von der Leyen") == []


def test_no_person_no_mention() -> None:
    assert repeated([(0, 6), (6, 7), (8, 14)], ["Berlin", ",", "Berlin"], [Span(0, 6, "place", 0.9, "fast")]) == []
