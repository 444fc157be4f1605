"""Finds of rules and tagger as one list: shaped finds stand, finds by context join, nothing is uncovered."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from troth.redact.detect import Span
from troth.redact.model.merge import merge

TEXT = "qqqqqqqqqq wwwwwwwwww zzzzzzzzzz kkkkkkkkkk jjjjjjjjjj"  # no part of it is a word that names nobody


def span(start: int, end: int, kind: str, score: float = 0.7, detector: str = "rules") -> Span:
    return Span(start, end, kind, score, detector)


def test_a_shaped_find_stands_and_the_tagger_has_what_is_beside_it() -> None:
    found = merge(TEXT, [span(11, 21, "email", 0.9)], [span(0, 32, "organisation", 0.99, "fast")])
    assert [(s.start, s.end, s.kind) for s in found] == [
        (0, 10, "organisation"), (11, 21, "email"), (22, 32, "organisation")
    ]  # fmt: skip


def test_two_readings_of_one_name_become_the_widest() -> None:
    found = merge(TEXT, [span(3, 10, "person")], [span(0, 8, "person", 0.9, "fast")])
    assert [(s.start, s.end, s.kind, s.score) for s in found] == [(0, 10, "person", 0.9)]


def test_the_surer_kind_stands_in_front_and_the_rest_stays_covered() -> None:
    found = merge(TEXT, [span(0, 10, "person", 0.65)], [span(4, 8, "place", 0.9, "fast")])
    assert [(s.start, s.end, s.kind) for s in found] == [(0, 4, "person"), (4, 10, "place")]


def test_a_place_joined_with_an_address_is_an_address() -> None:
    found = merge(TEXT, [span(0, 10, "address", 0.6)], [span(4, 21, "place", 0.9, "fast")])
    assert [(s.start, s.end, s.kind) for s in found] == [(0, 21, "address")]


KINDS = st.sampled_from(["person", "place", "organisation", "address", "email", "uk_nhs"])


@st.composite
def apart(draw: st.DrawFn, detector: str) -> list[Span]:
    """Spans that do not overlap, as one detector gives them."""
    cuts = sorted(set(draw(st.lists(st.integers(0, len(TEXT)), max_size=10))))
    return [
        span(a, b, draw(KINDS), draw(st.sampled_from([0.5, 0.7, 0.95])), detector)
        for a, b in zip(cuts[::2], cuts[1::2], strict=False)
    ]


@given(apart("rules"), apart("fast"))
def test_the_list_is_sorted_apart_and_covers_what_either_covered(rules: list[Span], tagged: list[Span]) -> None:
    tagged = [s for s in tagged if s.kind not in ("email", "uk_nhs")]
    found = merge(TEXT, rules, tagged)
    assert all(a.end <= b.start for a, b in pairwise(found))
    covered = {i for s in found for i in range(s.start, s.end)}
    wanted = {i for s in (*rules, *tagged) for i in range(s.start, s.end) if not TEXT[i].isspace()}
    assert wanted <= covered
    shaped = [s for s in rules if s.kind in ("email", "uk_nhs")]
    assert [s for s in found if s.kind in ("email", "uk_nhs")] == shaped
