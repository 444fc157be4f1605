"""A register that no code knows, from the proposal of its form over HTTP to its records, its table and its end."""

from __future__ import annotations

from typing import Any

import pytest

from house import House, Person
from register_calls import code, move, opened
from scriptless import Visit
from troth.governance import own_forms, store

FORM = """\
form: keys-of-doors
version: 1
title: Keys of doors
about: Who has which key.
promises: []
keeps: {class: account, activity: guarding-the-building}
read: [owner, admin]
fields:
  door: {type: text!, most: 80, label: Door}
  holder: {type: person!, label: Holder}
  given_on: {type: date!, label: Given on}
  back_on: {type: date, label: Back on}
opens: {role: [admin, owner], to: given}
states: {given: {}, back: {end: true}}
moves:
  return: {from: given, to: back, role: [admin], not_by: [holder], needs: [back_on], when: back_on >= given_on}
dues:
  look: {in: given, at: given_on, within: 12 months, by: admin}
kept_when:
  - given_on <= today
examples:
  good:
    - {door: Cellar, holder: p1, given_on: -10d, state: given}
  known_bad:
    - {like: 0, but: {given_on: +1d}}
    - {like: 0, but: {given_on: -400d}}
"""
MANY_DUES = "".join(f"  d{one}: {{in: given, at: given_on, within: 1 month, by: admin}}\n" for one in range(6))
MANY_DAYS = ", ".join(f"{one + 1}d" for one in range(7))
KEY = {"door": "Cellar", "given_on": "2026-01-05"}


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("own-forms")
    made = {name: home.member(owner, f"{name}@own-forms.example.org", role) for name, role in (
        ("admin", "admin"), ("officer", "privacy-officer"),
    )}  # fmt: skip
    return {"owner": owner, **made}


def propose(home: House, who: Person, text: str, name: str = "keys-of-doors") -> Any:
    return home.call("POST", "/v1/registers/register-forms", who.headers, values={"name": name, "text": text})


def approve(home: House, who: Person, record: str) -> Any:
    return move(home, who, f"register-forms/{record}", "approve")


def in_force(home: House, people: dict[str, Person], text: str, name: str) -> str:
    record = str(propose(home, people["admin"], text, name).json()["id"])
    assert approve(home, people["owner"], record).is_success
    return record


def test_a_new_register_needs_no_code(home: House, people: dict[str, Person]) -> None:
    owner, admin = people["owner"], people["admin"]
    desk = Visit(home, admin.headers)
    sent = desk.send("/registers/register-forms", **{"value-name": "keys-of-doors",
                                                     "value-text": FORM.replace("\n", "\r\n")})  # fmt: skip
    assert sent.status_code == 303, sent.text
    record = sent.headers["location"].rpartition("/")[2]
    assert code(home.call("GET", "/v1/registers/keys-of-doors", owner.headers)) == (404, "register-not-found")
    assert code(approve(home, admin, record)) == (403, "own-move")
    assert approve(home, owner, record).json()["state"] == "in-force"
    assert "keys-of-doors" in [one["form"] for one in home.ok("GET", "/v1/registers", owner.headers)["registers"]]
    form = home.ok("GET", "/v1/register-forms/keys-of-doors", owner.headers)
    assert [one["name"] for one in form["moves"]] == ["return"]
    key = opened(home, owner, "keys-of-doors", holder=admin.id, **KEY)
    assert code(move(home, admin, f"keys-of-doors/{key}", "return", back_on="2026-02-01")) == (403, "own-move")
    assert key in [one["record"] for one in home.ok("GET", "/v1/register-dues", owner.headers)["dues"]]
    rows = [{"holder": owner.id, **KEY}, {"holder": owner.id, **KEY, "door": "Attic"}]
    done = home.ok("POST", "/v1/register-imports/keys-of-doors", admin.headers, rows=rows, apply=True)
    assert (done["applied"], done["rows"]) == (True, 2)
    assert "Attic" in home.call("GET", "/v1/register-exports/keys-of-doors", admin.headers).text
    assert "Keys of doors" in desk.see("/registers")
    assert "Attic" in desk.see("/registers/keys-of-doors")
    assert "Cellar" in desk.see(f"/registers/keys-of-doors/{key}")
    assert code(home.call("GET", "/v1/registers/keys-of-doors", people["officer"].headers)) == (403, "wrong-role")
    reason = {"reason": "no doors any more"}
    assert code(move(home, owner, f"register-forms/{record}", "withdraw", **reason)) == (409, "not-now")


def test_it_is_of_one_tenant_alone(home: House, people: dict[str, Person]) -> None:
    text = FORM.replace("keys-of-doors", "badges")
    in_force(home, people, text, "badges")
    there = home.tenant("no-own-forms")
    assert code(home.call("GET", "/v1/registers/badges", there.headers)) == (404, "register-not-found")
    assert code(home.call("GET", "/v1/register-forms/badges", there.headers)) == (404, "register-not-found")
    assert "badges" not in [one["form"] for one in home.ok("GET", "/v1/registers", there.headers)["registers"]]


def test_a_newer_version_knows_the_records_that_there_are(home: House, people: dict[str, Person]) -> None:
    text = FORM.replace("keys-of-doors", "lockers")
    first = in_force(home, people, text, "lockers")
    assert propose(home, people["admin"], text, "lockers").json()["code"] == "bad-form"  # the same version
    opened(home, people["owner"], "lockers", holder=people["owner"].id, **KEY)
    newer = text.replace("version: 1", "version: 2").replace("Who has which key", "Which locker")
    other = newer.replace("given: {}", "lent: {}").replace("to: given", "to: lent").replace("from: given", "from: lent")
    other = other.replace("in: given", "in: lent").replace("state: given", "state: lent")
    assert code(propose(home, people["admin"], other, "lockers")) == (409, "not-now")
    in_force(home, people, newer, "lockers")
    shown = home.ok("GET", "/v1/register-forms/lockers", people["owner"].headers)
    assert (shown["version"], shown["about"]) == (2, "Which locker.")
    assert len(home.ok("GET", "/v1/registers/lockers", people["owner"].headers)["records"]) == 1
    assert home.ok("GET", f"/v1/registers/register-forms/{first}", people["owner"].headers)["reasons"] == []


def test_all_own_forms_together_hold_so_many_records(
    home: House, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as fit, however they come; forms of the installation hold what they held."""
    owner = people["owner"]
    in_force(home, people, FORM.replace("keys-of-doors", "boxes"), "boxes")
    in_force(home, people, FORM.replace("keys-of-doors", "cases"), "cases")
    registers = home.system.governance.registers
    kept, shipped = registers.counts(owner.tenant), registers.forms.names()
    monkeypatch.setattr(own_forms, "MOST_RECORDS", sum(kept[one] for one in kept if one not in shipped) + 2)
    row = {"holder": owner.id, **KEY}

    def taken(form: str, number: int) -> Any:
        path = f"/v1/register-imports/{form}"
        return home.call("POST", path, owner.headers, rows=[row] * number, apply=True)

    assert code(taken("boxes", 3)) == (409, "register-full")
    assert taken("boxes", 1).is_success
    assert code(taken("cases", 2)) == (409, "register-full")
    opened(home, owner, "cases", **row)
    assert code(home.call("POST", "/v1/registers/boxes", owner.headers, values=row)) == (409, "register-full")
    opened(home, owner, "risks", name="A fire", touches="A")


def test_the_approved_forms_are_read_once_however_many_there_are(
    home: House, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, due = people["owner"], set()
    for name in ("desks", "lamps", "plants"):
        in_force(home, people, FORM.replace("keys-of-doors", name), name)
        due.add(opened(home, owner, name, holder=owner.id, **KEY))
    read: list[str] = []
    real = own_forms.OwnForms.all

    def counted(self: own_forms.OwnForms, tenant: str) -> Any:
        read.append(tenant)
        return real(self, tenant)

    monkeypatch.setattr(own_forms.OwnForms, "all", counted)
    told = home.ok("GET", "/v1/register-dues", owner.headers)
    assert due <= {one["record"] for one in told["dues"]}
    assert read == [owner.tenant]

    def altered(_self: own_forms.OwnForms, tenant: str) -> Any:
        read.append(tenant)
        raise store.broken()

    monkeypatch.setattr(own_forms.OwnForms, "all", altered)
    told = home.ok("GET", "/v1/register-dues", owner.headers)
    assert {"desks", "lamps", "plants"} <= set(told["unjudged"])  # what cannot be read is never as if nothing were due
    assert len(read) == 2


def test_nobody_alone_puts_an_older_version_in_force_again(home: House, people: dict[str, Person]) -> None:
    owner, admin, text = people["owner"], people["admin"], FORM.replace("keys-of-doors", "safes")
    lax = in_force(home, people, text.replace(", not_by: [holder]", ""), "safes")
    strict = in_force(home, people, text.replace("version: 1", "version: 2"), "safes")
    reason = {"reason": "no good"}
    for who in (admin, owner):
        assert code(move(home, who, f"register-forms/{strict}", "withdraw", **reason)) == (409, "not-now")
    assert home.ok("GET", "/v1/register-forms/safes", owner.headers)["version"] == 2
    key = opened(home, owner, "safes", holder=admin.id, **KEY)
    assert move(home, admin, f"register-forms/{lax}", "withdraw", **reason).is_success  # which changes nothing
    assert home.ok("GET", "/v1/register-forms/safes", owner.headers)["version"] == 2
    assert code(move(home, admin, f"safes/{key}", "return", back_on="2026-02-01")) == (403, "own-move")
    assert code(move(home, admin, f"register-forms/{strict}", "withdraw", **reason)) == (409, "not-now")


def test_old_versions_do_not_heap_up(home: House, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch) -> None:
    admin, owner, text = people["admin"], people["owner"], FORM.replace("keys-of-doors", "shelves")
    first = in_force(home, people, text, "shelves")
    third = text.replace("version: 1", "version: 3")
    in_force(home, people, text.replace("version: 1", "version: 2"), "shelves")
    waiting = propose(home, admin, third, "shelves").json()["id"]
    approved = home.ok("GET", "/v1/registers/register-forms", owner.headers, state="in-force", limit=200)["records"]
    monkeypatch.setattr(own_forms, "MOST_VERSIONS", len(approved))
    assert code(approve(home, owner, waiting)) == (409, "register-full")
    assert code(propose(home, admin, third, "shelves")) == (409, "register-full")
    assert move(home, admin, f"register-forms/{first}", "withdraw", reason="replaced").is_success
    assert approve(home, owner, waiting).is_success


def test_an_empty_register_is_withdrawn(home: House, people: dict[str, Person]) -> None:
    record = in_force(home, people, FORM.replace("keys-of-doors", "gates"), "gates")
    assert move(home, people["owner"], f"register-forms/{record}", "withdraw", reason="not needed").is_success
    assert home.call("GET", "/v1/registers/gates", people["owner"].headers).status_code == 404


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FORM, "bad-form"),  # the record names another register
        (FORM.replace("keys-of-doors", "a").replace("promises: []", "promises: [GOV-03]"), "bad-form"),
        (FORM.replace("keys-of-doors", "a").replace("dues:", "couples: {look: access.suspend}\ndues:"), "bad-form"),
        (FORM.replace("keys-of-doors", "a").replace("given_on <= today", "__import__('os')"), "bad-form"),
        (FORM.replace("keys-of-doors", "a").replace("given_on: +1d", "given_on: -11d"), "bad-form"),
        (FORM.replace("keys-of-doors", "a").replace("moves:", "moves: &a\n  x: *a\nmove:"), "bad-yaml"),
        (FORM.replace("keys-of-doors", "a").replace("  look: {", MANY_DUES + "  look: {"), "bad-form"),
        (FORM.replace("keys-of-doors", "a").replace("by: admin}", f"by: admin, remind: [{MANY_DAYS}]}}"), "bad-form"),
        ("a: " + "[" * 900, "yaml-too-long"),
        ("x" * 20_001, "bad-field"),
    ],
    ids=["named", "promise", "coupled", "called", "proves-nothing", "alias", "dues", "remind", "deep", "long"],
)
def test_what_is_not_in_order_is_not_even_proposed(
    home: House, people: dict[str, Person], text: str, said: str
) -> None:
    refused = propose(home, people["admin"], text, "a")
    assert (refused.status_code in (413, 422), refused.json()["code"]) == (True, said), refused.text


def test_what_is_shipped_cannot_be_replaced(home: House, people: dict[str, Person]) -> None:
    for name in ("policies", "visitors"):  # shipped, and of the folder
        refused = propose(home, people["admin"], FORM.replace("keys-of-doors", name), name)
        assert code(refused) == (409, "register-taken")
    rows = [{"name": "a", "text": FORM}]
    many = home.call("POST", "/v1/register-imports/register-forms", people["admin"].headers, rows=rows)
    assert code(many) == (409, "not-now")
    assert code(propose(home, people["officer"], FORM)) == (403, "wrong-role")
