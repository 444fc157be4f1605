"""The pages of privacy officers and operators: holds, the schedule, approvals, keys, off-boarding, a checked file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from sqlalchemy import String, or_, select

from house import PASSWORD, House, Person, house
from scriptless import Visit
from troth.kernel.personal import TenantHolder
from troth.kernel.scope import SYSTEM, within
from troth.storage.database import metadata
from troth.vault.rights.intake import Message

SAME = {"origin": "https://localhost", "sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("pages"), erasure={"approval_above": 0}) as built:
        yield built


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("pages")
    officer = home.member(owner, "dpo@pages.example.org", "privacy-officer")
    return {"owner": owner, "officer": officer, "member": home.member(owner, "mia@pages.example.org")}


def test_a_hold_is_placed_shown_and_lifted(home: House, people: dict[str, Person]) -> None:
    visit = Visit(home, people["officer"])
    assert "Nothing is held." in visit.see("/holds")
    fields = {"about": people["member"].id, "basis": "litigation", "until": "2099-01-01"}
    assert visit.send("/holds", **fields).status_code == 422  # more than ten years
    assert visit.send("/holds", **fields | {"until": "soon"}).status_code == 422
    assert visit.send("/holds", **fields | {"until": "2029-01-01"}).status_code == 303
    shown = visit.see("/holds")
    assert "litigation" in shown
    (place,) = re.findall(r'action="(/holds/[^"]+/lift)"', shown)
    assert visit.send(place).status_code == 422  # nobody said why
    assert visit.send(place, reason="checked").status_code == 303
    assert "binds" not in visit.see("/holds")


def test_restriction_from_both_sides(home: House, people: dict[str, Person]) -> None:
    officer, member = Visit(home, people["officer"]), Visit(home, people["member"])
    assert member.send("/processing/restrict").status_code == 303
    assert "restricted since" in member.see("/consent")
    assert people["member"].id in officer.see("/holds")
    assert member.send("/processing/resume").status_code == 303
    assert officer.send("/restrictions", subject=people["member"].id, reason="by-request").status_code == 303
    assert "A privacy officer restricted it" in member.see("/consent")
    assert officer.send(f"/restrictions/{people['member'].id}/lift", reason="checked").status_code == 303
    assert officer.send(f"/restrictions/{people['member'].id}/lift", reason="checked").status_code == 404


def test_the_schedule_is_a_table_that_officers_change(home: House, people: dict[str, Person]) -> None:
    officer, member = Visit(home, people["officer"]), Visit(home, people["member"])
    assert (
        officer.send("/retention", data_class="user-generated", days="7", purpose="", reason="checked").status_code
        == 303
    )
    assert "<strong>7 days</strong>" in member.see("/retention")
    assert "Set the rule" not in member.see("/retention")
    assert member.send("/retention", data_class="user-generated", days="1", reason="checked").status_code == 403
    assert officer.send("/retention", data_class="user-generated", days="0", reason="checked").status_code == 422
    assert (
        officer.send("/retention/clear", data_class="user-generated", purpose="", reason="checked").status_code == 303
    )
    assert "<strong>30 days</strong>" in member.see("/retention")


def test_a_second_officer_approves_on_the_page(home: House, people: dict[str, Person]) -> None:
    leaver = home.member(people["owner"], "leaver@pages.example.org")
    first, second = Visit(home, people["officer"]), Visit(home, people["owner"])
    asked = first.send("/requests", subject=leaver.id, confirm="erase this person")
    assert "A second officer must approve" in asked.text
    assert "/approve" not in first.see("/requests")
    (place,) = re.findall(r'action="(/erasures/[^"]+/approve)"', second.see("/requests"))
    assert second.send(place, reason="checked").status_code == 303
    (place,) = re.findall(r'action="(/erasures/[^"]+/cancel)"', second.see("/requests"))
    assert second.send(place, reason="checked").status_code == 303
    assert second.send(place, reason="checked").status_code == 409


def test_a_certificate_is_checked_as_a_file_without_scripts(home: House, people: dict[str, Person]) -> None:
    owner = people["owner"]
    erased = home.ok("DELETE", f"/v1/objects/{home.picture(owner)['object']}", owner.headers)
    document = home.call("GET", f"/v1/certificates/{erased['certificate']}", owner.headers).content
    form = home.client.get("/verify", headers={"accept": "text/html"}).text
    assert 'enctype="multipart/form-data"' in form
    assert "<script" not in form

    def checked(content: bytes) -> Any:
        file = {"document-file": ("certificate.json", content, "application/json")}
        return home.client.post("/verify", headers=SAME, files=file, data={"document": ""})

    held = checked(document)
    assert held.status_code == 200
    for word in ("This certificate holds", "No backups known", "256 bits", "Requester"):
        assert word in held.text
    altered = checked(document.replace(b"A", b"B", 1))
    assert altered.status_code == 422
    assert "This does not hold" in altered.text
    assert checked(b"\xff\xfe" + bytes(3000)).status_code in (400, 422)
    assert checked(b"{" * 300_000).status_code == 413


# Tables in which rows of an erased tenant stay, as proof that it was erased and of what was done.
EVIDENCE = {
    "audit_logs",
    "erasure",
    "erasure_certificate",
    "erasure_decision",
    "key_scope",
    "unit",
    "vault_object",
    "vault_request",
}
MARKS = {"unit", "key_scope"}  # an erased person's opaque id, which resolves to nobody: a restore replays them


def left_of(home: House, tenant: str) -> set[str]:
    """Every table that names its tenant and has rows of this one."""
    home.system.base.sequencer.flush()
    found = set()
    with home.system.base.database.read(SYSTEM) as connection:
        for name, table in metadata.tables.items():
            mine = table.c.tenant == tenant if "tenant" in table.columns else None
            if mine is not None and connection.execute(select(table).where(mine).limit(1)).first():
                found.add(name)
    return found


def named(home: House, person: str) -> set[str]:
    """Every table but the log with a column that holds this id."""
    found = set()
    with home.system.base.database.read(SYSTEM) as connection:
        for name, table in metadata.tables.items():
            texts = [column for column in table.columns if isinstance(column.type, String)]
            if name != "audit_entries" and texts:
                hit = select(table).where(or_(*(column == person for column in texts))).limit(1)
                found |= {name} if connection.execute(hit).first() else set()
    return found


@pytest.fixture(scope="module")
def second(home: House) -> dict[str, str]:
    """Another operator, who asks; the first one, who was there before, agrees."""
    made = home.ok("POST", "/v1/operators", home.operator, email="second@pages.example.org", display_name="Second")
    signed = home.ok("POST", "/v1/sessions", email="second@pages.example.org", password=made["password"])
    half = {"authorization": f"Bearer {signed['token']}"}
    secret = home.ok("POST", "/v1/totp", half)["secret"]
    done = home.ok("POST", "/v1/totp/confirm", half, totp=pyotp.TOTP(secret).now())
    full = {"authorization": f"Bearer {done['token']}"}
    fresh = home.ok("POST", "/v1/password", full, current=made["password"], new=PASSWORD)
    return {"authorization": f"Bearer {fresh['token']}"}


def test_the_keys_of_the_service_are_shown_and_rotated(home: House) -> None:
    visit = Visit(home, home.operator)
    page = visit.see("/key-domains")
    for said in ("<strong>A0</strong>", "a folder on this machine", ">answers<", ">active<", "Replace the roots now"):
        assert said in page, said
    epoch = home.ok("GET", "/v1/root-keys", home.operator)["epoch"]
    assert visit.send("/key-domains/rotate").status_code == 303
    assert visit.send("/key-domains/copies").status_code == 303
    assert visit.send("/key-domains/compromise", reason="lost-token", confirm="replace these keys").status_code == 422
    assert visit.send("/key-domains/compromise", reason="lost-token", confirm="Replace the  roots").status_code == 303
    page = visit.see("/key-domains")
    assert "destroyed compromised" in page
    assert "canary:refused" in page
    assert home.ok("GET", "/v1/root-keys", home.operator)["epoch"] == epoch + 3
    assert visit.send("/key-domains/local/retire", confirm="give this domain up").status_code == 409


def test_exposed_keys_of_a_person_wait_for_the_second_operator(
    home: House, people: dict[str, Person], second: dict[str, str]
) -> None:
    asks, agrees = Visit(home, second), Visit(home, home.operator)
    member = people["member"]
    fields = {"reason": "lost-laptop", "subject": member.id, "confirm": "replace these keys"}
    assert asks.send("/key-domains/compromise", **fields).status_code == 422  # a person of which tenant?
    assert asks.send("/key-domains/compromise", **fields, tenant=member.tenant).status_code == 303
    assert "/approve" not in asks.see("/key-domains")
    page = agrees.see("/key-domains")
    assert "waits for a second operator" in page
    (place,) = re.findall(r'action="(/key-replacements/[^"]+/approve)"', page)
    assert asks.send(place, reason="checked").status_code == 403
    assert agrees.send(place, reason="checked").status_code == 303
    with within(SYSTEM):
        assert home.system.replacements.resume() == 1
    page = agrees.see("/key-domains")
    assert "<progress" in page
    assert ">replaced<" in page
    assert member.id not in page  # who it was, nobody needs any more
    assert Visit(home, member).see("/data")


def test_a_tenant_leaves_on_the_page(home: House, second: dict[str, str]) -> None:
    leaving = home.tenant("leaving-by-page")
    member = home.member(leaving, "mara@leaving-by-page.example.org")
    home.ok("POST", "/v1/requests", member.headers, kind="access", text="What do you have?")
    home.ok("POST", "/v1/statements", member.headers, about="account", text="It was raining.")
    home.ok("POST", "/v1/requests", member.headers, kind="objection", purpose="analytics", text="No.")
    stranger = Message(sender="joe@nowhere.example.org", title="Me", text="What do you have about me?", raw=b"x")
    with within(SYSTEM):
        home.system.vault.rights.intake.receive(leaving.tenant, stranger)
    asks, agrees = Visit(home, second), Visit(home, home.operator)
    assert "Nobody leaves." in asks.see("/offboardings")
    assert asks.send("/offboardings", tenant=leaving.tenant, confirm="yes").status_code == 422
    asked = asks.send("/offboardings", tenant=leaving.tenant, confirm="erase this tenant", now="yes")
    assert "A second operator has to agree" in asked.text
    assert "shown only now" in asked.text
    assert f'action="/offboardings/{leaving.tenant}/approve"' not in asks.see("/offboardings")
    assert agrees.send(f"/offboardings/{leaving.tenant}/approve", reason="checked").status_code == 303
    page = agrees.see("/offboardings")
    assert ">done<" in page
    got = home.client.get(f"/offboardings/{leaving.tenant}/certificate", headers=agrees.cookie)
    assert got.headers["content-disposition"].startswith("attachment")
    assert b"payload" in got.content
    assert agrees.send(f"/offboardings/{leaving.tenant}/cancel", reason="checked").status_code == 409
    assert all(isinstance(one, TenantHolder) for one in home.system.vault.holders)
    assert left_of(home, leaving.tenant) <= EVIDENCE
    assert (named(home, member.id), named(home, leaving.id)) == (MARKS, MARKS)


def test_places_are_counted_for_operators_and_officers(home: House, people: dict[str, Person]) -> None:
    whole, own = Visit(home, home.operator).see("/placement"), Visit(home, people["officer"]).see("/placement")
    for said in ("European Union", ">at home<", "key-roots:local", "Copies of key pages"):
        assert said in whole, said
    assert "key-roots" not in own
    assert "table:unit" in own
    refused = home.client.get("/placement", headers=Visit(home, people["member"]).cookie | {"accept": "text/html"})
    assert refused.status_code == 403


def test_two_operators_say_where_a_tenant_moves(home: House, people: dict[str, Person], second: dict[str, str]) -> None:
    enters, agrees = Visit(home, second), Visit(home, home.operator)
    tenant, key = people["owner"].tenant, "ab" * 32
    assert enters.send("/moves", tenant=tenant, signer="us.test").status_code == 422
    assert enters.send("/moves", tenant=tenant, signer=f"us.test={key}").status_code == 303
    assert f'action="/moves/{tenant}/approve"' not in enters.see("/placement")
    page = agrees.see("/placement")
    assert "waits for a second operator" in page
    assert key not in page  # the second one reads it there
    print_of = hashlib.sha256(bytes.fromhex(key)).hexdigest()[:32]
    assert agrees.send(f"/moves/{tenant}/approve", fingerprint="0" * 32, reason="checked").status_code == 403
    assert enters.send(f"/moves/{tenant}/approve", fingerprint=print_of, reason="checked").status_code == 403
    assert agrees.send(f"/moves/{tenant}/approve", fingerprint=print_of, reason="checked").status_code == 303
    assert key in enters.see("/placement")
    assert enters.send(f"/moves/{tenant}/cancel", reason="checked").status_code == 303
    assert "us.test" not in enters.see("/placement")
    stranger = Visit(home, people["officer"])
    assert stranger.send("/moves", tenant=tenant, signer=f"us.test={key}").status_code == 403
