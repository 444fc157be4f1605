"""What privacy officers and operators do for others: holds, restrictions, retention rules, erasures that need two."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyotp
import pytest

from house import PASSWORD, House, Person, house
from troth.vault.certificate import verify_certificate

DAY = 86_400_000


@dataclass
class Office:
    home: House
    owner: Person
    officer: Person
    member: Person


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    settings = {"approval_above": 1, "bulk_delay_minutes": 15}
    with house(tmp_path_factory.mktemp("office"), erasure=settings) as home:
        owner = home.tenant("omega")
        officer = home.member(owner, "dpo@omega.example.org", "privacy-officer")
        yield Office(home, owner, officer, home.member(owner, "mia@omega.example.org"))


def code_of(response: object) -> tuple[int, str]:
    said = response.json()  # type: ignore[attr-defined]
    return response.status_code, str(said.get("error", said)["code"]).replace("_", "-")  # type: ignore[attr-defined]


def now() -> int:
    return int(time.time() * 1000)


def test_a_hold_beats_erasure_and_lifting_it_completes_what_waited(office: Office) -> None:
    home, officer = office.home, office.officer
    person = home.member(office.owner, "held@omega.example.org")
    kept = home.picture(person)["object"]
    wish = {"basis": "litigation", "until": now() + DAY, "subject": person.id}
    hold = home.ok("POST", "/v1/holds", officer.headers, **wish)
    assert (hold["about"], hold["binds"], hold["approver"]) == ("person", True, officer.id)
    assert code_of(home.call("POST", "/v1/erasures/own", person.headers, confirm="erase everything about me")) == (
        409,
        "held",
    )
    assert home.call("GET", f"/v1/objects/{kept}", person.headers).status_code == 200
    assert hold["id"] in [one["id"] for one in home.ok("GET", "/v1/holds", officer.headers)["holds"]]
    lifted = home.ok("DELETE", f"/v1/holds/{hold['id']}", officer.headers, reason="checked")
    assert not lifted["binds"]
    done = [one for one in home.ok("GET", "/v1/erasures", officer.headers)["erasures"] if one["people"] == 1]
    assert done[0]["state"] == "done"
    assert home.call("GET", "/v1/me", person.headers).status_code == 401


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"until": 1}, (422, "bad-hold")),
        ({"until": 1 << 52}, (422, "bad-hold")),
        ({"until": None}, (422, "bad-field")),
        ({"basis": "Because I say so"}, (422, "bad-field")),
        ({"subject": None}, (422, "bad-hold")),
        ({"subject": None, "object": "obj_none"}, (404, "not-found")),
        ({"subject": "officer"}, (403, "own-hold")),
    ],
)
def test_incomplete_holds_are_refused(office: Office, change: dict[str, object], refusal: tuple[int, str]) -> None:
    values = {"basis": "tax-law", "until": now() + DAY, "subject": office.member.id} | change
    if values["subject"] == "officer":
        values["subject"] = office.officer.id
    sent = {name: value for name, value in values.items() if value is not None}
    if change == {"until": None}:
        refusal = (422, "missing-field")
    assert code_of(office.home.call("POST", "/v1/holds", office.officer.headers, **sent)) == refusal


def test_holds_of_another_tenant_are_out_of_reach(office: Office) -> None:
    home = office.home
    elsewhere = home.tenant("sigma")
    wish = {"basis": "tax-law", "until": now() + DAY, "subject": office.member.id}
    hold = home.ok("POST", "/v1/holds", office.officer.headers, **wish)
    assert home.call("DELETE", f"/v1/holds/{hold['id']}", elsewhere.headers, reason="checked").status_code == 404
    assert home.ok("GET", "/v1/holds", elsewhere.headers)["holds"] == []
    assert home.call("POST", "/v1/holds", office.member.headers, **wish).status_code == 403
    home.ok("DELETE", f"/v1/holds/{hold['id']}", office.officer.headers, reason="checked")


def test_restricted_data_is_kept_exported_and_not_used(office: Office) -> None:
    home = office.home
    person = home.member(office.owner, "contests@omega.example.org")
    kept = home.picture(person)["object"]
    key = home.key_headers(person, "generate", "own-data")
    assert not home.ok("GET", "/v1/processing", person.headers)["restricted"]
    home.ok("POST", "/v1/processing/restriction", person.headers, reason="accuracy-contested")
    assert not home.ok("GET", f"/v1/objects/{kept}", person.headers)["usable"]
    assert kept in [one["id"] for one in home.ok("GET", "/v1/objects", person.headers)["objects"]]
    assert code_of(home.call("GET", f"/v1/objects/{kept}/content", person.headers)) == (409, "restricted")
    wish = {"model": "troth-studio-1", "prompt": "a harbour", "size": "256x256"}
    assert code_of(home.call("POST", "/v1/images/generations", key, **wish)) == (409, "restricted")
    said = {"model": "troth-echo-1", "messages": [{"role": "user", "content": "Hello"}]}
    assert code_of(home.call("POST", "/v1/chat/completions", key, **said)) == (409, "restricted")
    archive = home.call("POST", "/v1/export", person.headers)
    assert archive.status_code == 200
    assert kept.encode() in archive.content
    home.ok("DELETE", "/v1/processing/restriction", person.headers)
    assert home.call("GET", f"/v1/objects/{kept}/content", person.headers).status_code == 200


def test_an_officer_restricts_on_request_and_only_officers_resume(office: Office) -> None:
    home, officer, person = office.home, office.officer, office.member
    home.ok("POST", "/v1/restrictions", officer.headers, subject=person.id, reason="unlawful-processing")
    assert home.ok("GET", "/v1/processing", person.headers)["by_officer"]
    assert code_of(home.call("DELETE", "/v1/processing/restriction", person.headers)) == (403, "restricted-by-officer")
    listed = home.ok("GET", "/v1/restrictions", officer.headers)["restrictions"]
    assert [one["subject"] for one in listed] == [person.id]
    assert home.call("GET", "/v1/restrictions", person.headers).status_code == 403
    home.ok("DELETE", f"/v1/restrictions/{person.id}", officer.headers, reason="checked")
    assert code_of(home.call("DELETE", f"/v1/restrictions/{person.id}", officer.headers, reason="checked")) == (
        404,
        "not-restricted",
    )
    assert code_of(home.call("POST", "/v1/restrictions", officer.headers, subject="usr_" + "z" * 26))[0] == 404


def test_a_tenant_shortens_its_schedule_and_never_lengthens_it(office: Office) -> None:
    home, officer = office.home, office.officer
    assert (
        home.call("PUT", "/v1/retention/user-generated", office.member.headers, days=3, reason="checked").status_code
        == 403
    )
    shown = home.ok("PUT", "/v1/retention/user-generated", officer.headers, days=400, reason="checked")
    line = next(one for one in shown["rules"] if one["data_class"] == "user-generated")
    assert (line["limit_days"], line["rule_days"], line["days"]) == (30, 400, 30)
    home.ok("PUT", "/v1/retention/user-generated", officer.headers, days=7, reason="checked")
    shown = home.ok(
        "PUT", "/v1/retention/user-generated", officer.headers, days=2, purpose="training", reason="checked"
    )
    lines = {one["purpose"]: one["days"] for one in shown["rules"] if one["data_class"] == "user-generated"}
    assert lines == {None: 7, "training": 2}
    home.ok("DELETE", "/v1/retention/user-generated", officer.headers, purpose="training", reason="checked")
    home.ok("DELETE", "/v1/retention/user-generated", officer.headers, reason="checked")
    assert home.call("DELETE", "/v1/retention/user-generated", officer.headers, reason="checked").status_code == 404
    assert home.ok("GET", "/v1/retention", office.member.headers)["transient_minutes"] == 60
    assert (
        code_of(home.call("PUT", "/v1/retention/user-generated", officer.headers, days=0, reason="checked"))[0] == 422
    )


def test_more_people_than_one_officer_may_erase_wait_for_a_second(office: Office) -> None:
    home, owner = office.home, office.owner
    officer = home.member(owner, "fresh-dpo@omega.example.org", "privacy-officer")  # who asked for nothing yet
    first, second = (home.member(owner, f"{name}@omega.example.org") for name in ("one", "two"))
    assert home.ok("POST", "/v1/erasures", officer.headers, subject=first.id)["state"] == "done"
    kept = home.picture(second)["object"]
    waiting = home.ok("POST", "/v1/erasures", officer.headers, subject=second.id)
    assert (waiting["state"], waiting["certificate"]) == ("waiting", None)
    assert home.call("GET", f"/v1/objects/{kept}", second.headers).status_code == 200
    place = f"/v1/erasures/{waiting['id']}"
    assert code_of(home.call("POST", f"{place}/approval", officer.headers, reason="checked")) == (403, "own-erasure")
    assert home.call("POST", f"{place}/approval", second.headers, reason="checked").status_code == 403
    approved = home.ok("POST", f"{place}/approval", owner.headers, reason="checked")
    assert (approved["state"], approved["decisions"][0]["actor"]) == ("closing", owner.id)
    assert not home.ok("GET", f"/v1/objects/{kept}", second.headers)["usable"]
    assert code_of(home.call("GET", f"/v1/objects/{kept}/content", second.headers)) == (409, "closing")
    cancelled = home.ok("POST", f"{place}/cancellation", officer.headers, reason="checked")
    assert cancelled["state"] == "cancelled"
    assert home.call("GET", f"/v1/objects/{kept}", second.headers).status_code == 200
    assert code_of(home.call("POST", f"{place}/cancellation", officer.headers, reason="checked")) == (409, "too-late")


def test_a_period_goes_for_everybody_and_holds_stay(office: Office) -> None:
    home, officer, owner = office.home, office.officer, office.owner
    people = [home.member(owner, f"{name}@omega.example.org") for name in ("pia", "pal")]
    kept = [home.picture(person)["object"] for person in people]
    hold = home.ok("POST", "/v1/holds", officer.headers, basis="litigation", until=now() + DAY, object=kept[1])
    wish = {"data_class": "user-generated", "until": now() + 1, "confirm": "erase this period", "immediate": True}
    waiting = home.ok("POST", "/v1/erasures/period", officer.headers, **wish)
    done = home.ok("POST", f"/v1/erasures/{waiting['id']}/approval", owner.headers, reason="checked")
    assert (waiting["state"], done["state"]) == ("waiting", "done")
    assert home.call("GET", f"/v1/objects/{kept[0]}", people[0].headers).status_code == 410
    assert home.call("GET", f"/v1/objects/{kept[1]}", people[1].headers).status_code == 200
    envelope = home.call("GET", f"/v1/certificates/{done['certificate']}", owner.headers).content
    signer, origins = home.system.base.signer, home.system.base.sequencer.origins
    key = str(origins.key(owner.tenant))
    held = verify_certificate(envelope, {signer.name: signer.public_key}, log_keys=[key])
    assert (held.scope, [one.role for one in held.approvals]) == ("period", ["requester", "approver"])
    assert held.withheld >= 1
    home.ok("DELETE", f"/v1/holds/{hold['id']}", officer.headers, reason="checked")


def test_a_whole_tenant_leaves_with_two_operators(office: Office) -> None:
    home = office.home
    owner = home.tenant("leaving")
    member = home.member(owner, "last@leaving.example.org")
    kept = home.picture(member)["object"]
    wish = {"tenant_id": owner.tenant, "confirm": "erase this tenant", "immediate": True}
    assert code_of(home.call("POST", "/v1/offboardings", home.operator, **wish | {"tenant_id": "operator"}))[0] == 404
    assert code_of(home.call("POST", "/v1/offboardings", home.operator, **wish | {"confirm": "yes"}))[0] == 422
    assert home.call("POST", "/v1/offboardings", owner.headers, **wish).status_code == 403
    asked = home.ok("POST", "/v1/offboardings", home.operator, **wish)
    assert asked["state"] == "waiting"
    place = f"/v1/offboardings/{owner.tenant}"
    made = home.ok("POST", "/v1/operators", home.operator, email="second@troth.example.org", display_name="Second")
    other = settled_operator(home, "second@troth.example.org", made["password"])
    assert code_of(home.call("POST", f"{place}/approval", other, reason="checked")) == (403, "not-apart"), (
        "made by who asked, for this"
    )
    home.ok("POST", f"{place}/cancellation", other, reason="checked")
    asked = home.ok("POST", "/v1/offboardings", other, **wish)
    assert code_of(home.call("POST", f"{place}/approval", other, reason="checked")) == (403, "own-erasure")
    assert home.call("POST", f"/v1/erasures/{asked['id']}/approval", owner.headers, reason="checked").status_code == 404
    assert home.call("GET", f"/v1/objects/{kept}", member.headers).status_code == 200
    done = home.ok("POST", f"{place}/approval", home.operator, reason="checked")
    assert done["state"] == "done"
    assert home.call("GET", "/v1/me", member.headers).status_code == 401
    envelope = home.call("GET", f"{place}/certificate", home.operator).content
    signer, origins = home.system.base.signer, home.system.base.sequencer.origins
    certificate = verify_certificate(
        envelope, {signer.name: signer.public_key}, log_keys=[str(origins.key(owner.tenant))]
    )
    assert certificate.scope == "tenant"
    assert {part.holder for part in certificate.forgotten} >= {"vault", "identity"}
    names = {one["id"]: one["name"] for one in home.ok("GET", "/v1/tenants", home.operator)["tenants"]}
    assert names[owner.tenant] == "erased tenant"
    listed = home.ok("GET", "/v1/offboardings", other)["offboardings"]
    assert sorted(one["state"] for one in listed) == ["cancelled", "done"]
    assert office.home.call("GET", "/v1/me", office.owner.headers).status_code == 200


def settled_operator(home: House, email: str, issued: str) -> dict[str, str]:
    first = {"authorization": f"Bearer {home.ok('POST', '/v1/sessions', email=email, password=issued)['token']}"}
    secret = home.ok("POST", "/v1/totp", first)["secret"]
    done = home.ok("POST", "/v1/totp/confirm", first, totp=pyotp.TOTP(secret).now())
    second = {"authorization": f"Bearer {done['token']}"}
    fresh = home.ok("POST", "/v1/password", second, current=issued, new=PASSWORD)
    return {"authorization": f"Bearer {fresh['token']}"}
