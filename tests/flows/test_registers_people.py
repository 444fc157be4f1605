"""People in registers: one person by several names, in the rules of second persons and when they are erased."""

from __future__ import annotations

import io
import zipfile

import pytest

from house import House, Person
from register_calls import code, move, opened


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("register-people")
    roles = {"second": "owner", "admin": "admin"}
    made = {name: home.member(owner, f"{name}@register-people.example.org", role) for name, role in roles.items()}
    return {"owner": owner, **made}


ANSWERS = {"role": "Head of security", "answers_for": ["CRY-01"], "is_dpo": False, "administers": True}


def test_who_answers_is_somebody_known_so_that_another_is_a_second_person(
    home: House, people: dict[str, Person]
) -> None:
    """A made-up name in the field that forbids a move would forbid nobody."""
    owner, second = people["owner"], people["second"]
    nobody = opened(home, owner, "accountable", **ANSWERS, holder="s-nobody")
    assert code(move(home, owner, f"accountable/{nobody}", "name")) == (409, "not-now")
    stranger = opened(home, owner, "accountable", **ANSWERS, holder=home.tenant("register-strangers").id)
    assert code(move(home, owner, f"accountable/{stranger}", "name")) == (409, "not-now")
    staff = {"person": "s-known", "role": "Engineer", "joined_on": "2026-01-05"}
    record = opened(home, people["admin"], "staff", **staff)
    for holder in (second.id, record, "s-known"):
        place = f"accountable/{opened(home, owner, 'accountable', **ANSWERS, holder=holder)}"
        assert move(home, owner, place, "name").is_success, holder


def test_staff_that_one_person_made_up_is_no_second_person(home: House, people: dict[str, Person]) -> None:
    """An owner who enters a person of the staff and names that person would be their own second one."""
    owner, admin, second = people["owner"], people["admin"], people["second"]
    staff = {"person": "s-alone", "role": "Engineer", "joined_on": "2026-01-05"}
    record = opened(home, owner, "staff", **staff)
    places = [f"accountable/{opened(home, owner, 'accountable', **ANSWERS, holder=one)}" for one in (record, "s-alone")]
    assert move(home, owner, f"staff/{record}", "agree", agreed_on="2026-01-06").is_success
    assert [code(move(home, owner, one, "name")) for one in places] == [(409, "not-now")] * 2
    assert move(home, second, places[0], "name").is_success  # who did not make it up
    assert move(home, admin, f"staff/{record}", "agree", agreed_on="2026-01-06").is_success
    assert move(home, owner, places[1], "name").is_success
    theirs = opened(home, owner, "staff", **{**staff, "person": "s-held"}, account=second.id)
    held = opened(home, owner, "accountable", **ANSWERS, holder=theirs)
    assert move(home, owner, f"accountable/{held}", "name").is_success


def test_nobody_stops_being_the_person_of_their_record(home: House, people: dict[str, Person]) -> None:
    """Neither by giving one's own record another account, nor where somebody else gave it one."""
    owner, admin = people["owner"], people["admin"]
    mover = home.member(owner, "mover@register-people.example.org", "owner")
    staff = {"person": "s-mover", "account": mover.id, "role": "Engineer", "joined_on": "2026-01-05"}
    record = opened(home, admin, "staff", **staff)
    place = f"accountable/{opened(home, mover, 'accountable', **ANSWERS, holder=record)}"
    assert code(move(home, mover, place, "name")) == (403, "own-move")
    away = {"agreed_on": "2026-01-06", "account": people["second"].id}
    assert code(move(home, mover, f"staff/{record}", "agree", **away)) == (403, "own-move")
    assert move(home, mover, f"staff/{record}", "agree", **{**away, "account": mover.id}).is_success
    assert move(home, admin, f"staff/{record}", "agree", **away).is_success
    assert code(move(home, mover, place, "name")) == (403, "own-move")
    assert move(home, owner, place, "name").is_success


@pytest.mark.parametrize("named", ["person", "record", "later"])
def test_texts_about_a_person_by_another_name_go_with_their_account(
    home: House, people: dict[str, Person], named: str
) -> None:
    """By their number of staff, by their record, and where the account is entered after the text."""
    admin, owner = people["admin"], people["owner"]
    guest, number = home.member(owner, f"{named}@register-people.example.org"), f"s-{named}"
    staff = {"person": number, "role": "Lamplighter", "joined_on": "2026-01-05"}
    if named != "later":
        staff["account"] = guest.id
    record = opened(home, admin, "staff", **staff)
    about = record if named == "record" else number
    visit = opened(home, admin, "visitors", visitor=about, host=admin.id, came_on="2026-11-20")
    note = f"whistled while leaving ({named})"
    assert move(home, admin, f"visitors/{visit}", "note", note=note).is_success
    if named == "later":
        agreed = move(home, admin, f"staff/{record}", "agree", agreed_on="2026-01-06", account=guest.id)
        assert agreed.is_success, agreed.text
    shown = home.ok("GET", f"/v1/registers/visitors/{visit}", owner.headers)["record"]["values"]
    assert shown["note"] == note
    copy = home.call("POST", "/v1/export", guest.headers).content
    with zipfile.ZipFile(io.BytesIO(copy)) as archive:
        entries = b"".join(archive.read(name) for name in archive.namelist())
    assert note.encode() in entries
    assert b"Lamplighter" in entries
    assert home.ok("POST", "/v1/erasures", owner.headers, subject=guest.id)["state"] == "done"
    for place in (f"visitors/{visit}", f"staff/{record}"):
        left = home.call("GET", f"/v1/registers/{place}/history", owner.headers).text
        assert note not in left
        assert guest.id not in left
        assert "Lamplighter" not in left


def test_an_import_of_staff_takes_what_was_entered_before_along(home: House, people: dict[str, Person]) -> None:
    """Of many rows at once those are sealed anew under whose name something lies; it then goes with their account."""
    admin, owner = people["admin"], people["owner"]
    guests = [home.member(owner, f"imported{number}@register-people.example.org") for number in range(2)]
    visit = opened(home, admin, "visitors", visitor="s-imported-0", host=admin.id, came_on="2026-11-20")
    assert move(home, admin, f"visitors/{visit}", "note", note="whistled before the import").is_success
    one = {"role": "Lamplighter", "joined_on": "2026-01-05"}
    rows = [{**one, "person": f"s-imported-{number}", "account": guest.id} for number, guest in enumerate(guests)]
    rows.append({**one, "person": "s-imported-9"})
    done = home.ok("POST", "/v1/register-imports/staff", admin.headers, rows=rows, apply=True)
    assert (done["applied"], done["rows"]) == (True, 3)
    with zipfile.ZipFile(io.BytesIO(home.call("POST", "/v1/export", guests[0].headers).content)) as archive:
        assert b"whistled before the import" in b"".join(archive.read(name) for name in archive.namelist())
    assert home.ok("POST", "/v1/erasures", owner.headers, subject=guests[0].id)["state"] == "done"
    assert "whistled" not in home.call("GET", f"/v1/registers/visitors/{visit}/history", owner.headers).text
