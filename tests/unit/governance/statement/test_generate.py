"""The statement: all that the map claims is said, nothing else is, and in plain words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from troth.governance.data_map.linting import KINDS, lint
from troth.governance.data_map.map import Activity, DataMap, Exempt, Retention, Store, Supplier, Table
from troth.governance.data_map.reading import shipped
from troth.governance.statement.facts import mapped
from troth.governance.statement.generate import Section, Sentence, listed, said, statement
from troth.governance.statement.readability import LIMIT

ACME = Supplier("acme", "Acme International Incorporated", ("large-4o", "small"), ("eu", "us"), "days", 30, ("cloudy",))
HERE = Supplier("studio", "Studio", ("draw",), ("here",), "zero")
_TOKENS = {kind: [f"{kind[:3]}-{number}" for number in range(4)] for kind in KINDS}
_BASES = ["contract", "consent", "legitimate-interests"]
WORDS = {kind: {token: f"{kind} word {token}" for token in tokens} for kind, tokens in _TOKENS.items()} | {
    "basis": {token: f"basis word {token}" for token in _BASES}
}


def some(kind: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(_TOKENS[kind]), min_size=1, max_size=4, unique=True).map(tuple)


@st.composite
def activities(draw: Any, name: str) -> Activity:
    basis = draw(st.sampled_from(_BASES))
    terms = st.builds(Retention, st.sampled_from(_TOKENS["retention"]), st.none() | st.integers(0, 400))
    return Activity(
        id=name,
        title=f"Title of {name}",
        purpose=draw(st.sampled_from(_TOKENS["purpose"])),
        basis=basis,
        subjects=draw(some("subject")),
        categories=draw(some("category")),
        recipients=draw(some("recipient")),
        regions=draw(some("region")),
        retention=tuple(draw(st.lists(terms, min_size=1, max_size=3, unique=True))),
        safeguards=draw(some("safeguard")),
        automated=draw(st.sampled_from(_TOKENS["automated"])),
        transfers=draw(st.sampled_from(_TOKENS["transfer"])),
        role=draw(st.sampled_from(["controller", "processor"])),
        interest="an interest of ours" if basis == "legitimate-interests" else None,
        tables={f"table_{name}": Table({"who": "id"}, draw(st.sampled_from([{}, {"by": "the log"}])))},
    )


@st.composite
def maps(draw: Any) -> DataMap:
    names = draw(st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, unique=True))
    words = st.text("abcdefgh-", min_size=1, max_size=12)
    suppliers = st.builds(
        Supplier, id=words, name=words, models=st.lists(words, min_size=1, max_size=3, unique=True).map(tuple),
        regions=st.sampled_from([("here",), ("eu",), ("eu", "us")]),
        retention=st.sampled_from(["zero", "transient", "days"]), retention_days=st.integers(0, 90),
        sub_processors=st.lists(words, max_size=2, unique=True).map(tuple),
    )  # fmt: skip
    return DataMap(
        version=1,
        words=WORDS,
        activities=tuple(draw(activities(name)) for name in names),
        stores={},
        exempt=Exempt(),
        suppliers=tuple(draw(st.lists(suppliers, max_size=2, unique_by=lambda one: one.id))),
        rights=draw(st.sampled_from([{}, {"access": "to see it"}])),
    )


@given(maps())
@settings(max_examples=60, deadline=None)
def test_whatever_the_map_what_is_said_is_what_is_mapped(found: DataMap) -> None:
    assert lint(found) == []
    told = statement(found)
    assert said(told) == mapped(found)
    for one in (each for section in told.sections for each in section.sentences):
        assert one.facts
        for fact in one.facts:
            assert expressed(found, fact, one.text), (fact, one.text)


def expressed(found: DataMap, fact: str, text: str) -> bool:
    """Whether the words of a fact stand in the text; what has no words of its own stands in a fixed sentence."""
    first, kind, *rest = fact.split("/")
    if first == "supplier":
        return rest[0] == "retention" or rest[0] == "name" or "/".join(rest[1:]) in text or "own machine" in text
    if first == "rights":
        return found.rights[kind] in text
    if kind in found.words:
        return found.words[kind][rest[0]].lower() in text.lower() and (
            kind != "retention" or rest[1] == "at-once" or re.search(rf"\b{rest[1]} days?\b", text) is not None
        )
    return kind in ("role", "interest", "stays")


@given(maps(), st.data())
@settings(max_examples=30, deadline=None)
def test_what_is_left_out_or_added_is_seen(found: DataMap, data: Any) -> None:
    told = statement(found)
    at = data.draw(st.integers(0, len(told.sections) - 1))
    section = told.sections[at]
    less = replace(section, sentences=section.sentences[1:])
    assert said(replace(told, sections=(*told.sections[:at], less, *told.sections[at + 1 :]))) < mapped(found)
    more = Section("more", "More", (Sentence("We sell it.", ("accounts/recipient/brokers",)),))
    assert said(replace(told, sections=(*told.sections, more))) > mapped(found)


def test_every_section_of_the_shipped_map_is_plain() -> None:
    told = statement(replace(shipped(), suppliers=(ACME, HERE)))
    assert told.hard == ()
    assert {one.id: one.grade for one in told.sections if one.grade > LIMIT} == {}
    assert len(told.sections) == len(shipped().activities) + 2
    hard = Section("x", "X", (Sentence("Institutional intermediaries systematically operationalise it.", ("f",)),))
    assert replace(told, sections=(hard,)).hard == (hard,)


def test_a_vendor_is_told_with_its_models_regions_term_and_helpers() -> None:
    told = statement(replace(shipped(), suppliers=(ACME, HERE)))
    text = next(one for one in told.sections if one.id == "suppliers").text
    assert "Acme International Incorporated runs large-4o and small. It works in eu and us." in text
    assert "It may keep it for 30 days. It is helped by cloudy." in text
    assert "Studio runs draw. It works on our own machine. It keeps none of it." in text


def test_lists_are_read_aloud() -> None:
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_stores_and_tables_alone_change_nothing_that_is_said() -> None:
    before = shipped()
    after = replace(before, stores={**before.stores, "attic": Store("An attic", "Emptied.")})
    assert mapped(after) == mapped(before)
