"""Who stands in a record is taken from the session: of every shipped form, and where an entry was erased."""

from __future__ import annotations

from dataclasses import replace

import pytest

from register_forms import look
from troth.governance.forms.form import Form, Move
from troth.governance.forms.reading import shipped
from troth.governance.looking import Look
from troth.governance.moves import By, Wish, engine_fields, moved, opening
from troth.governance.records import FIRST, Done, Record
from troth.kernel.errors import Conflict, Denied, TrothError

SALT = b"s" * 32
DAY = look("2026-03-01T10:00")
ROLES = ("owner", "admin", "privacy-officer", "security-analyst")
KEPT = [form for form in shipped().values() if form.source is None]
WRITERS = {"author", "entered_by", "prepared_by"}
MOVES = [(form, move) for form in KEPT for move in form.moves.values()]


def somebody(*roles: str) -> By:
    return By("ten_1", "usr_1", "usr_1", frozenset(roles), "req_1")


def standing(form: Form, state: str) -> Record:
    return Record(form.name, "rec_1", state, {}, {}, DAY.now, DAY.now, 1, FIRST, {"open": Done(DAY.now, "usr_1")})


@pytest.mark.parametrize("form", KEPT, ids=lambda form: form.name)
def test_who_wrote_it_is_written_by_the_engine(form: Form) -> None:
    assert form.fields.keys() & WRITERS <= engine_fields(form)
    assert form.opened is not None
    assert {name for name in form.fields if name in WRITERS} <= form.opened.sets.keys()


@pytest.mark.parametrize(("form", "move"), MOVES, ids=lambda one: one.name)
def test_every_move_is_for_its_roles_alone(form: Form, move: Move) -> None:
    """Each role against each move: refused as such, or for another reason."""
    for role in ROLES:
        code = refusal(form, move, somebody(role), standing(form, move.start[0]), DAY)
        assert (code == "wrong-role") is not bool({role, "any"} & set(move.roles)), (role, code)
    nobody = refusal(form, move, somebody(), standing(form, move.start[0]), DAY)
    assert (nobody == "wrong-role") is ("any" not in move.roles)


def refusal(form: Form, move: Move, by: By, record: Record, at: Look) -> str | None:
    try:
        moved(form, record, move.name, Wish({}, SALT), by, look=at)
    except TrothError as error:
        return error.code
    return None


@pytest.mark.parametrize("name", sorted(one.name for one in KEPT if one.fields.keys() & WRITERS))
def test_who_opened_it_does_not_approve_it_even_when_the_entry_is_erased(name: str) -> None:
    """The content of the opening may go with a person; who made it stays in the chain."""
    form = shipped()[name]
    held = [one for one in form.moves.values() if WRITERS & set(one.not_by)]
    for move in held:
        by = somebody(*move.roles)
        with pytest.raises(Denied) as refused:
            moved(form, standing(form, move.start[0]), move.name, Wish({}, SALT), by, look=DAY)
        assert refused.value.code == "own-move"


def test_where_nobody_stands_nobody_is_a_second_person() -> None:
    """A field that is empty would forbid nobody."""
    form = shipped()["contacts"]
    with pytest.raises(Conflict) as refused:
        moved(form, standing(form, "published"), "try", Wish({}, SALT), somebody("owner"), look=DAY)
    assert refused.value.code == "not-now"


def test_a_person_given_with_the_move_counts_too() -> None:
    form = shipped()["contacts"]
    rule = replace(form.moves["change"], not_by=("answers",))
    form = replace(form, moves={**form.moves, "change": rule})
    with pytest.raises(Denied):
        wish = Wish({"answers": "usr_1"}, SALT)
        moved(form, standing(form, "published"), "change", wish, somebody("owner"), look=DAY)


def test_the_opening_says_who() -> None:
    values = {"name": "A fire", "touches": ["A"]}
    event = opening(shipped()["risks"], "rec_1", Wish(values, SALT), somebody("admin"), DAY)
    assert (event.values or {})["author"] == "usr_1"
