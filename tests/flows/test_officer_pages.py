"""The pages of privacy officers: holds, restrictions, the schedule, approvals; and a certificate checked as a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from house import House, Person, house

SAME = {"origin": "https://localhost", "sec-fetch-site": "same-origin"}
FORM = SAME | {"content-type": "application/x-www-form-urlencoded"}


class Visit:
    """A person with a browser that runs no scripts."""

    def __init__(self, home: House, person: Person) -> None:
        self.home = home
        self.cookie = {"cookie": f"__Host-sid={person.headers['authorization'].removeprefix('Bearer ')}"}

    def see(self, path: str) -> str:
        response = self.home.client.get(path, headers=self.cookie | {"accept": "text/html"})
        assert response.status_code == 200, (path, response.status_code)
        return str(response.text)

    def send(self, path: str, **fields: str) -> Any:
        headers = self.cookie | FORM | {"accept": "text/html"}
        return self.home.client.post(path, headers=headers, data=fields, follow_redirects=False)


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
    assert visit.send(place).status_code == 303
    assert "binds" not in visit.see("/holds")


def test_restriction_from_both_sides(home: House, people: dict[str, Person]) -> None:
    officer, member = Visit(home, people["officer"]), Visit(home, people["member"])
    assert member.send("/processing/restrict").status_code == 303
    assert "restricted since" in member.see("/consent")
    assert people["member"].id in officer.see("/holds")
    assert member.send("/processing/resume").status_code == 303
    assert officer.send("/restrictions", subject=people["member"].id, reason="by-request").status_code == 303
    assert "A privacy officer restricted it" in member.see("/consent")
    assert officer.send(f"/restrictions/{people['member'].id}/lift").status_code == 303
    assert officer.send(f"/restrictions/{people['member'].id}/lift").status_code == 404


def test_the_schedule_is_a_table_that_officers_change(home: House, people: dict[str, Person]) -> None:
    officer, member = Visit(home, people["officer"]), Visit(home, people["member"])
    assert officer.send("/retention", data_class="user-generated", days="7", purpose="").status_code == 303
    assert "<strong>7 days</strong>" in member.see("/retention")
    assert "Set the rule" not in member.see("/retention")
    assert member.send("/retention", data_class="user-generated", days="1").status_code == 403
    assert officer.send("/retention", data_class="user-generated", days="0").status_code == 422
    assert officer.send("/retention/clear", data_class="user-generated", purpose="").status_code == 303
    assert "<strong>30 days</strong>" in member.see("/retention")


def test_a_second_officer_approves_on_the_page(home: House, people: dict[str, Person]) -> None:
    leaver = home.member(people["owner"], "leaver@pages.example.org")
    first, second = Visit(home, people["officer"]), Visit(home, people["owner"])
    asked = first.send("/requests", subject=leaver.id, confirm="erase this person")
    assert "A second officer must approve" in asked.text
    assert "/approve" not in first.see("/requests")
    (place,) = re.findall(r'action="(/erasures/[^"]+/approve)"', second.see("/requests"))
    assert second.send(place).status_code == 303
    (place,) = re.findall(r'action="(/erasures/[^"]+/cancel)"', second.see("/requests"))
    assert second.send(place).status_code == 303
    assert second.send(place).status_code == 409


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
