"""Linting: each thing that can be wrong with a form is found, and the examples must prove something."""

from __future__ import annotations

import pytest

from register_forms import FORM, form_with
from troth.governance.forms.reading import parse_form
from troth.governance.linting import lint_form, lint_together, unnamed


def codes(change: str, promises: list[str] | None = None) -> set[str]:
    return {one.code for one in lint_form(form_with(change), promises)}


def test_a_good_form_has_no_problem() -> None:
    assert lint_form(parse_form(FORM)) == ()


NAMED = "name: {{type: text!, label: N}}, author: {{type: person!, label: A}}, review_by: {{type: date, label: R}}"
FIELDS = f"fields: {{{{{NAMED}, {{0}}}}}}"
EXAMPLES = "examples: {{good: [{0}], known_bad: [{1}]}}"
MANY = "\nkept_when: [" + ", ".join(["review_by > today"] * 12) + "]"
GOOD, PAST = "{name: A, author: p1, review_by: +9d, state: live}", "{like: 0, but: {review_by: -1d}}"
OWED = "in: live, over: staff.active, every: 1 year, own_move: a, renewed_by: approve, renews_when: review_by > today"
OWING = "\npopulation: {" + ", ".join(f"p{n}: {{{OWED}}}" for n in range(12)) + "}"
DERIVING = (
    "\nderived: {"
    + ", ".join(f"d{n}: review_by - today" for n in range(3))
    + "}\n"
    + (
        "cadence: {count: 1, within: 12 months, at: review_by, in: live}\n"
        "chain: {join: [review_by, review_by], in: live}\ndues: {d: {in: live, by: owner, at: review_by}}"
    )
)
MOMENT = f"fields: {{{NAMED.replace('{{', '{').replace('}}', '}')}, seen: {{type: moment, label: S}}}}\n"
MOVES = "moves: {{approve: {{from: draft, to: live, role: owner, {0}}}, end: {{from: live, to: gone, role: owner}}}}"
DUE = "dues: {{d: {{in: live, by: owner, {0}}}}}"
CLOCK = "clocks: {{c: {{starts: approve, law: gdpr, within: 5 days, stops: end, by: owner, {0}}}}}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("promises: [XXX-99]", "unknown-promise"),
        ("read: [owner, king]", "unknown-role"),
        ("read: []", "nobody-reads"),
        ("keeps: {class: secret, activity: testing}", "unknown-class"),
        ("kept_when: []", "proves-nothing"),
        (FIELDS.format("a-b: {type: text, label: X}"), "bad-name"),
        (FIELDS.format("state: {type: text, label: X}"), "bad-name"),
        (FIELDS.format("in: {type: text, label: X}"), "bad-name"),
        (FIELDS.format("c: {type: choice, label: X}"), "field-of"),
        (FIELDS.format("c: {type: date, of: [a], label: X}"), "field-of"),
        (FIELDS.format("c: {type: text, of: [name], label: X}"), "field-of"),
        ("derived: {name: today}", "twice"),
        ("derived: {x: nothing}", "bad-condition"),
        ("derived: {x: nothing, y: x}", "bad-condition"),
        ("derived: {x: 'None'}\nkept_when: x", "bad-condition"),
        ("kept_when: review_by > 5", "bad-condition"),
        ("kept_when: review_by > today or author < 3", "bad-condition"),
        ("kept_when: review_by - today", "bad-condition"),
        ("kept_when: author.name", "bad-condition"),
        (MOVES.format("when: x > 1"), "bad-condition"),
        ("states: {draft: {}, live: {}, gone: {}, lost: {}}", "unreachable"),
        (MOVES.format("needs: [height]"), "unknown-field"),
        (MOVES.format("may: [height]"), "unknown-field"),
        (MOVES.format("sets: {height: today}"), "unknown-field"),
        (MOVES.format("sets: {review_by: actor}"), "sets"),
        (MOVES.format("sets: {review_by: today}, needs: [review_by]"), "written"),
        (MOVES.format("sets: {author: actor}"), "required"),
        (MOVES.format("not_by: [somebody]"), "unknown-move"),
        (MOVES.format("not_by: [name]"), "not-by"),
        (MOVES.format("needs: [{name: text}]"), "move"),
        ("moves: {go: {from: nowhere, to: live, role: owner}}", "unknown-state"),
        ("moves: {go: {from: draft, to: live}}", "move"),
        ("moves: {go: {to: live, role: owner}}", "move"),
        ("moves: {go: {from: draft, to: live, role: king}}", "unknown-role"),
        (DUE.format("at: review_by, within: 3d, after: end"), "due"),
        (DUE.format("at: review_by, within: 3 hours"), "due"),
        (DUE.format("after: end"), "due"),
        (DUE.format("at: name"), "unknown-field"),
        (DUE.format("after: fly, within: 3d"), "unknown-move"),
        (DUE.format("at: review_by, person: name"), "unknown-field"),
        (DUE.format("at: review_by, lapse: gone"), "unknown-lapse"),
        (DUE.format("at: review_by, lapse: gone") + "\ncouples: {gone: sky.fall}", "unknown-port"),
        (DUE.format("at: review_by, lapse: gone") + "\ncouples: {gone: customer.stop}", "unknown-port"),
        ("couples: {gone: route.off}", "unused-lapse"),
        (CLOCK.format("inside: approve"), "unknown-stop"),
        (CLOCK.format("excuse: review_by"), "unknown-field"),
        (CLOCK.format("extend: 5 days"), "clock"),
        (CLOCK.format("extend: 1 month, extended_by: end"), "clock"),
        ("clocks: {c: {starts: name, law: gdpr, within: 5 days, stops: end, by: owner}}", "unknown-field"),
        ("clocks: {c: {starts: approve, law: roman, within: 5 days, stops: end, by: owner}}", "unknown-law"),
        (DUE.format("at: review_by") + "\n" + CLOCK.format("").replace("{c:", "{d:"), "twice"),
        ("population: {p: {over: staff.active, every: 1 year, own_move: a}}", "population"),
        (
            "population: {p: {in: live, over: staff.active, every: 1 year, own_move: a, renewed_by: fly}}",
            "unknown-move",
        ),
        ("chain: {join: [name, review_by], in: live}", "unknown-field"),
        ("chain: {join: [review_by, review_by], in: draft}", "not-judged"),
        ("cadence: {count: 1, within: 12 hours, at: review_by, in: live}", "cadence"),
        ("cadence: {count: 1, within: 12 months, at: author, in: live}", "unknown-field"),
        ("covers: {height: {all: [a]}}", "unknown-field"),
        ("source: vendors", "source"),
        (EXAMPLES.format(GOOD.replace("review_by: +9d, ", ""), PAST), "good-fails"),
        (EXAMPLES.format(GOOD.replace("live", "draft"), PAST), "good-fails"),
        (EXAMPLES.format(GOOD.replace("+9d", "'2028-01-01'"), PAST), "good-fails"),
        (EXAMPLES.format(GOOD, "{like: 0, but: {name: B}}"), "bad-passes"),
        (EXAMPLES.format(GOOD, "{like: 1, but: {name: B}}"), "bad-example"),
        (EXAMPLES.format(GOOD, "{like: 0}"), "bad-example"),
        (EXAMPLES.format(", ".join([GOOD] * 24), ", ".join([PAST] * 24)) + MANY, "too-many-examples"),
        (EXAMPLES.format(", ".join([GOOD] * 14), ", ".join([PAST] * 14)) + OWING, "too-many-examples"),
        (EXAMPLES.format(", ".join([GOOD] * 20), ", ".join([PAST] * 20)) + DERIVING, "too-many-examples"),
        (EXAMPLES.format(GOOD, "{like: false, but: {name: B}}"), "bad-example"),
        (EXAMPLES.format(GOOD, "{like: 0, but: []}"), "bad-example"),
        (EXAMPLES.format(GOOD.replace("p1", "p1, did: x"), PAST), "bad-example"),
        (EXAMPLES.format(GOOD.replace("p1", "p1, opened: -99999m"), PAST), "bad-example"),
        (EXAMPLES.format(GOOD.replace("+9d", "-99999m"), PAST), "bad-example"),
        (EXAMPLES.format(GOOD.replace("+9d", "-1201m"), PAST), "bad-example"),
        (MOMENT + EXAMPLES.format(GOOD.replace("+9d", "+9d, seen: -99999m"), PAST), "bad-example"),
        (EXAMPLES.format(GOOD.replace("p1", "p1, height: 3"), PAST), "bad-example"),
        (EXAMPLES.format(GOOD.replace("live", "sky"), PAST), "bad-example"),
        (EXAMPLES.format(GOOD.replace("name: A", "name: 5"), PAST), "bad-example"),
        (EXAMPLES.format(GOOD.replace("p1", "p1, did: {fly: -1d}"), PAST), "bad-example"),
        (EXAMPLES.format(GOOD.replace("p1", "p1, since: soon"), PAST), "bad-example"),
    ],
)
def test_each_thing_that_is_wrong_is_found(change: str, code: str) -> None:
    assert code in codes(change, ["GOV-01"])


def test_links_and_populations_lead_somewhere() -> None:
    things = form_with("fields: {other: {type: link, of: things, label: O}, lost: {type: link, of: nowhere, label: L}}")
    people = form_with("form: people\npopulation: {p: {in: live, over: things.asleep, every: 1 year, own_move: a}}")
    found = lint_together({"things": things, "people": people})
    assert [(one.code, one.where) for one in found] == [
        ("unknown-register", "things.fields.lost"),
        ("unknown-population", "people.population.p"),
    ]


def test_promises_that_no_form_names() -> None:
    assert unnamed([form_with("promises: [GOV-01]")], ["GOV-01", "GOV-02"]) == ("GOV-02",)
