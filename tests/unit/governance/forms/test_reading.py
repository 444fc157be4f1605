"""Forms from YAML: strict, with the place of what is wrong."""

from __future__ import annotations

import pytest

from register_forms import FORM, form_with
from troth.governance.forms.form import Span
from troth.governance.forms.reading import parse_form, shipped_text
from troth.governance.forms.taking import span
from troth.kernel.errors import Invalid, NotFound, TrothError

MOVE = "moves: {{end: {{from: live, to: gone, role: owner, {0}}}}}"


def test_a_form_is_read() -> None:
    form = parse_form(FORM)
    assert (form.name, form.version, list(form.states)) == ("things", 1, ["draft", "live", "gone"])
    assert form.fields["author"].required
    assert not form.fields["review_by"].required
    assert form.moves["approve"].not_by == ("author", "open")
    assert form.moves["end"].needs == ("reason",)
    assert form.moves["end"].asks["reason"].label == "reason"
    assert form.opened is not None
    assert form.opened.to == "draft"
    assert not form.states["gone"].judged


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("unknown: 1", "form.unknown"),
        ("version: 0", "form.version"),
        ("title: null", "form.title"),
        ("form: Things", "form.form"),
        ("fields: {a: {type: colour, label: A}}", "form.fields.a.type"),
        ("fields: {a: {type: text}}", "form.fields.a.label"),
        ("fields: {a: {type: text, label: A, size: 3}}", "form.fields.a.size"),
        ("states: {}", "form.states"),
        ("states: {a: {public: 1}}", "form.states.a.public"),
        ("opens: null", "form.opens"),
        ("dues: {d: {in: live}}", "form.dues.d.by"),
        ("clocks: {c: {starts: a, law: gdpr, within: soon, by: owner}}", "form.clocks.c.within"),
        ("chain: {join: [a]}", "form.chain.join"),
        ("population: {p: {over: staff, every: 1 year, own_move: a}}", "form.population.p.over"),
        ("covers: {a: {all: []}}", "form.covers.a.all"),
        ("examples: {good: [], known_bad: [{}]}", "form.examples.good"),
        ("examples: null", "form.examples"),
        ("kept_when: [1]", "form.kept_when"),
        ("keeps: {class: account}", "form.keeps.activity"),
        ("cadence: {count: 0}", "form.cadence.count"),
        ("moves: [a]", "form.moves"),
        ("opens: {role: any, sets: x}", "form.opens.sets"),
        (MOVE.format("needs: x"), "form.moves.end.needs"),
        (MOVE.format("needs: [[{}]]"), "form.moves.end.needs"),
        (MOVE.format("needs: [{reason: 1}]"), "form.moves.end.needs"),
        (MOVE.format("needs: [{Reason: text}]"), "form.moves.end.needs"),
        (MOVE.format("needs: [{reason: {type: text, size: 3}}]"), "form.moves.end.needs.size"),
        (MOVE.format("sets: x"), "form.moves.end.sets"),
        ("derived: []", "form.derived"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(change: str, place: str) -> None:
    with pytest.raises(Invalid) as refused:
        form_with(change)
    assert (refused.value.code, refused.value.field) == ("bad-form", place)


@pytest.mark.parametrize(
    "text", ["a: [", "form: &x a", "form: a\nform: b", "- a", "x: " + "y" * 64_001, "null", "!!set {a}"]
)
def test_what_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(TrothError):
        parse_form(text)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("30d", Span(30, "days")),
        ("72 hours", Span(72, "hours")),
        ("10 business days", Span(10, "business days")),
        ("12 months", Span(12, "months")),
        ("1 year", Span(12, "months")),
        ("0d", Span(0, "days")),
    ],
)
def test_spans(text: str, means: Span) -> None:
    assert span(text, "x") == means


@pytest.mark.parametrize(
    "text",
    [
        "30",
        "d",
        "-1d",
        "1.5 days",
        "99999 days",
        "30 m",
        30,
        None,
        "10  days",
        "1 day ",
        "101 years",
        "1201 months",
        "61 business days",
    ],
)
def test_what_is_no_span(text: object) -> None:
    with pytest.raises(Invalid):
        span(text, "x")


def test_a_shipped_form_that_there_is_not() -> None:
    with pytest.raises(NotFound):
        shipped_text("../../settings/load")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (f"kept_when: [{', '.join(['review_by > today'] * 81)}]", "form.kept_when"),
        (f"read: [{', '.join(['owner'] * 81)}]", "form.read"),
        ("fields: {" + ", ".join(f"f{n}: {{type: text, label: F}}" for n in range(81)) + "}", "form.fields"),
        ("derived: {" + ", ".join(f"f{n}: today" for n in range(81)) + "}", "form.derived"),
        (
            f"examples: {{good: [{', '.join(['{state: live}'] * 25)}], known_bad: [{{without: 0}}]}}",
            "form.examples.good",
        ),
        (f"examples: {{good: [{{}}], known_bad: [{', '.join(['{without: 0}'] * 25)}]}}", "form.examples.known_bad"),
    ],
    ids=["conditions", "roles", "fields", "derived", "good", "bad"],
)
def test_a_form_that_would_take_too_long_is_refused(change: str, place: str) -> None:
    with pytest.raises(Invalid) as refused:
        form_with(change)
    assert refused.value.field == place
