"""A person that was found once is found wherever it stands again, and all mentions are one entity."""

from __future__ import annotations

from troth.redact.detect import Span
from troth.redact.model.people import People


def spans_of(text: str, *known: str, score: float = 0.9) -> list[Span]:
    found, at = [], 0
    for name in known:
        at = text.index(name, at)
        found.append(Span(at, at + len(name), "person", score, "fast"))
        at += len(name)
    return found


def told(text: str, *known: str, score: float = 0.9) -> list[tuple[str, str]]:
    return [(text[s.start : s.end], s.entity) for s in People().complete(text, spans_of(text, *known, score=score))]


def again(text: str, *known: str, score: float = 0.9) -> list[str]:
    return [value for value, _ in told(text, *known, score=score)][len(known) :]


def test_surnames_possessives_and_capitals_are_mentions() -> None:
    text = "Anna Meier called. Meier's office, ANNA and Ms Meier again; meierish is none."
    assert again(text, "Anna Meier") == ["Meier", "ANNA", "Meier"]


def test_a_name_that_the_text_also_uses_as_a_word_is_left_alone() -> None:
    assert again("Will Mark sign? Mark will mark it. Will you?", "Will Mark") == []


def test_a_name_that_is_a_word_of_the_language_is_left_alone_where_it_begins_a_sentence() -> None:
    text = "Hope Okonkwo came. Hope is all we have. I told Hope so."
    assert again(text, "Hope Okonkwo") == ["Hope"]
    assert again("May Okonkwo came. We met in May, on 3 May and told May so.", "May Okonkwo") == ["May"]


def test_an_unsure_single_word_speaks_for_no_other() -> None:
    assert again("Paris said so. Paris is big.", "Paris", score=0.6) == []
    assert again("Tabea said so. Tabea is big.", "Tabea", score=0.9) == ["Tabea"]


def test_an_initial_of_an_earlier_segment_makes_no_two_people_one() -> None:
    people, before, behind = People(), "J. Smith wrote. ", "John Smith and Jane Smith came. Jane Smith left."
    people.complete(before, spans_of(before, "J. Smith"))
    spans = people.complete(behind, spans_of(behind, "John Smith", "Jane Smith", "Jane Smith"), len(before))
    john, jane, again_jane = (span.entity for span in spans)
    assert john != jane == again_jane


def test_particles_and_titles_are_no_names() -> None:
    assert again("Von der Leyen spoke. Von Der Haus.", "Von der Leyen") == []


def test_no_person_no_mention() -> None:
    assert People().complete("Berlin, Berlin", [Span(0, 6, "place", 0.9, "fast")]) == [Span(0, 6, "place", 0.9, "fast")]


def test_every_way_to_write_one_person_is_one_entity() -> None:
    text = (
        "Peter Johnson wrote. Johnson, Peter signed; P. Johnson's car, PETER JOHNSON, Mr Johnson and PJ. "
        "So pjohnson42, peter_johnson and Peter M. Johnson."
    )
    spans = People().complete(text, spans_of(text, "Peter Johnson", "Johnson, Peter", "Peter M. Johnson"))
    found = {text[s.start : s.end]: (s.kind, s.entity) for s in spans}
    person = ("person", "Peter Johnson")
    assert found == {
        "Peter Johnson": person,
        "Johnson, Peter": person,
        "P. Johnson": person,
        "PETER JOHNSON": person,
        "Johnson": person,
        "PJ": person,
        "Peter M. Johnson": person,
        "pjohnson42": ("username", ""),
        "peter_johnson": ("username", ""),
    }


def test_two_of_one_surname_are_two_and_the_one_mentioned_last_is_meant() -> None:
    text = "Anna Johnson met Peter Johnson. Johnson laughed, A. Johnson too. Anna wept. Johnson left."
    assert told(text, "Anna Johnson", "Peter Johnson") == [
        ("Anna Johnson", "Anna Johnson"),
        ("Peter Johnson", "Peter Johnson"),
        ("Johnson", "Peter Johnson"),
        ("A. Johnson", "Anna Johnson"),
        ("Anna", "Anna Johnson"),
        ("Johnson", "Anna Johnson"),
    ]


def test_short_forms_that_everybody_uses_are_nobodys_initials() -> None:
    text = "Ulrich Keller lives in the UK. Ulrich Keller's PC."
    assert again(text, "Ulrich Keller") == ["Ulrich Keller"]


def test_an_address_keeps_its_own_value() -> None:
    text = "Peter Johnson, peter.johnson@example.org"
    email = Span(15, len(text), "email", 1.0, "rules")
    assert People().complete(text, [*spans_of(text, "Peter Johnson"), email])[1] == email


def test_persons_of_an_earlier_piece_are_known_in_a_later_one() -> None:
    people = People()
    first = "Peter Johnson wrote. "
    people.complete(first, spans_of(first, "Peter Johnson"))
    later = "Then Johnson left."
    assert people.complete(later, [], len(first)) == [Span(5, 12, "person", 0.8, "mentions", "Peter Johnson")]


def test_thousands_of_namesakes_are_all_found() -> None:
    names = [f"Xa{chr(97 + i % 26)}{chr(97 + i // 26 % 26)}{chr(97 + i // 676)} Johnson" for i in range(4_000)]
    text = ". ".join([*names, *(["Johnson"] * 4_000)])
    assert len(People().complete(text, spans_of(text, *names))) == 8_000  # for minutes, if it took a square of time
