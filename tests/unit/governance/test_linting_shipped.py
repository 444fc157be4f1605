"""The forms that are shipped: linted, proven by their examples, and between them they name every recorded promise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from register_forms import look
from troth.governance.dues import dues
from troth.governance.forms.reading import shipped, shipped_names, shipped_text
from troth.governance.linting import lint_form, lint_together, unnamed
from troth.governance.moves import By, Wish, moved
from troth.governance.specimens import good, known_bad
from troth.governance.standing import standing
from troth.kernel.errors import Denied
from troth.promises.catalogue import catalogue

# Issue 8, point 4, and what the plan of its rooms names.
ASKED = frozenset(
    """risks dpia activities transfers vendors agreements sub-processors customer-agreements facilities certificates
    platforms policies trainings staff access-reviews config-reviews pentests audits scans patches assets backups drills
    incidents dmca appeals requests consents holds exceptions lessons board projects on-call data-sources contacts
    log-reviews preserved accountable profiles rooms room-questions register-forms""".split()
)
# What a room keeps shows no promise by itself, nor do forms of one's own: an empty one breaks none.
BARE = ("rooms", "room-questions", "register-forms")
NOW = look("2026-11-23T12:00")
ROLES = frozenset({"owner", "admin", "privacy-officer", "security-analyst", "auditor", "member", "room"})


def test_what_was_asked_for_is_there() -> None:
    assert set(shipped_names()) == ASKED


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_form_is_in_order_and_its_examples_prove_it(name: str) -> None:
    form = shipped()[name]
    assert lint_form(form, catalogue()) == ()
    assert form.name == name
    assert bool(form.promises) is (name not in BARE)
    assert len(form.examples.known_bad) >= 2


def test_links_and_populations_of_the_shipped_forms_lead_somewhere() -> None:
    assert lint_together(shipped()) == ()


def test_every_recorded_promise_is_named_by_a_form() -> None:
    recorded = [one.id for one in catalogue().values() if one.kind == "recorded"]
    assert len(recorded) == 27
    assert unnamed(shipped().values(), recorded) == ()
    without = [form for form in shipped().values() if form.name != "pentests"]
    assert unnamed(without, recorded) == ("GOV-19",)


@pytest.mark.parametrize("name", shipped_names())
def test_nobody_makes_a_move_that_a_second_person_must_make(name: str) -> None:
    form = shipped()[name]
    first = good(form, NOW).records[0]
    for move in form.moves.values():
        for who in move.not_by:
            person = "usr_7"
            done = {one: replace(first.done["open"], actor=person) for one in [*form.moves, "open"]}
            values = {**first.values, **({who: person} if who in form.fields else {})}
            mine = replace(first, state=move.start[0], done=done if who not in form.fields else {}, values=values)
            with pytest.raises(Denied) as refused:
                moved(form, mine, move.name, Wish({}, b""), By("t", person, person, ROLES, "r"), look=NOW)
            assert refused.value.code == "own-move"


def test_the_words_of_yaml_1_1_that_are_no_words_stay_out_of_forms() -> None:
    """A form must not read differently in an older reader: no bare on, off, yes, no as a key or value."""
    for name in shipped_names():
        words = shipped_text(name).replace(",", " ").replace("{", " ").replace("}", " ").replace("[", " ").split()
        assert not {"on:", "off:", "yes:", "no:", "y:", "n:"} & set(words), name


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("pentests", "cadence"),
        ("audits", "chain"),
        ("dmca", "early-window"),
        ("incidents", "clock-authority"),
        ("policies", "late-attest"),
        ("config-reviews", "cadence"),
        ("on-call", "chain"),
        ("trainings", "covers-topic"),
        ("certificates", "due-renewal"),
        ("customer-agreements", "due-renewal"),
        ("log-reviews", "chain"),
    ],
)
def test_what_each_known_bad_was_made_for_is_what_is_found(name: str, what: str) -> None:
    form = shipped()[name]
    found = {
        reason.what
        for one in known_bad(form, NOW)
        for reason in standing(form, one.records, one.items, one.look).reasons
    }
    assert what in found


@pytest.mark.parametrize(("name", "lapse"), [("certificates", "badge"), ("agreements", "route")])
def test_what_ends_at_midnight_lapses_at_midnight(name: str, lapse: str) -> None:
    """An agreement or certificate of the last day holds until 23:59:59.999 and not a moment longer."""
    form = shipped()[name]
    midnight = look("2026-11-24T00:00").now
    field = "valid_until" if name == "certificates" else "ends_on"
    told = good(form, NOW).records[0]
    told = replace(told, values={**told.values, field: NOW.today})
    states = [
        next(one.state for one in dues(form, [told], [], replace(NOW, now=at)) if one.lapse == lapse)
        for at in (midnight - 1, midnight)
    ]
    assert states == ["due", "lapsed"]
    stands = [standing(form, [told], [], replace(NOW, now=at)).broken for at in (midnight - 1, midnight)]
    assert stands == [0, 1]
