"""Files of records: kept sealed, named by the chain, opened, erased, held, taken along, and gone with their person."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest
from sqlalchemy import select, update

from house import House, Person
from register_calls import code, move, opened
from scriptless import Visit
from troth.kernel.clock import epoch_ms
from troth.kernel.scope import SYSTEM, within
from troth.vault.objects import Objects
from troth.vault.tables import objects

PLAIN = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n"
NOTE = b"What the testers found\n"
RISK = {"name": "A fire", "touches": "A"}


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("register-files")
    roles = {"admin": "admin", "officer": "privacy-officer", "member": "member", "leaver": "member"}
    made = {name: home.member(owner, f"{name}@register-files.example.org", role) for name, role in roles.items()}
    return {"owner": owner, **made}


def attach(home: House, who: Person, place: str, content: bytes = NOTE, name: str = "found.txt", **fields: str) -> Any:
    file = (name, content, "application/octet-stream")
    return home.client.post(f"/v1/registers/{place}/files", headers=who.headers, files={"file": file}, data=fields)


def files(home: House, who: Person, place: str) -> list[dict[str, Any]]:
    return list(home.ok("GET", f"/v1/registers/{place}/files", who.headers)["files"])


def risk(home: House, who: Person) -> str:
    return f"risks/{opened(home, who, 'risks', **RISK)}"


def test_a_file_is_kept_opened_and_erased(home: House, people: dict[str, Person]) -> None:
    owner, place = people["owner"], risk(home, people["owner"])
    kept = attach(home, owner, place, PLAIN, "report.pdf")
    assert kept.status_code == 201, kept.text
    file = kept.json()
    assert (file["name"], file["media_type"], file["sha256"]) == (
        "report.pdf", "application/pdf", hashlib.sha256(PLAIN).hexdigest(),
    )  # fmt: skip
    assert files(home, people["officer"], place) == [file]
    path = f"/v1/registers/{place}/files/{file['id']}"
    given = home.call("GET", path, people["admin"].headers)
    assert given.content == PLAIN
    assert given.headers["content-disposition"].startswith("attachment")
    assert home.call("DELETE", path, owner.headers).is_success
    assert files(home, owner, place) == []
    assert home.call("GET", path, owner.headers).status_code == 404
    history = home.ok("GET", f"/v1/registers/{place}/history", owner.headers)["events"]
    assert [one["move"] for one in history] == ["open", "attach", "detach"]
    assert history[1]["values"]["file.sha256"] == file["sha256"]
    with within(SYSTEM), home.system.base.database.read() as connection:
        assert connection.execute(select(objects.c.state).where(objects.c.id == file["id"])).scalar() != "live"


def test_the_chain_holds_with_files_and_moves_go_on(home: House, people: dict[str, Person]) -> None:
    policy = opened(home, people["admin"], "policies", name="A", document="d", change="major")
    place = f"policies/{policy}"
    assert attach(home, people["admin"], place).status_code == 201
    assert move(home, people["admin"], place, "propose").json()["sequence"] == 3
    home.system.base.sequencer.flush()
    log = home.ok("GET", "/v1/activity", people["owner"].headers, operation="register.entered", limit=200)
    facts = {(one["facts"].get("object"), one["facts"].get("move")) for one in log["entries"]}
    assert (policy, "attach") in facts


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"PK\x03\x04zip", "a.txt", "archive-refused"),
        (PLAIN.replace(b"/Catalog", b"/JavaScript"), "a.pdf", "active-pdf"),
        (PLAIN, "a.txt", "content-type-mismatch"),
        (PLAIN[:20], "a.pdf", "broken-pdf"),
        (b"<html></html>", "a.txt", "markup-refused"),
        (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*", "a.txt", "malware-found"),
        (b"", "a.txt", "empty-content"),
    ],
    ids=["archive", "active", "named", "cut", "markup", "malware", "empty"],
)
def test_what_the_gate_refuses_is_not_kept(
    home: House, people: dict[str, Person], content: bytes, name: str, said: str
) -> None:
    place = risk(home, people["owner"])
    assert attach(home, people["owner"], place, content, name).json()["code"] == said
    assert files(home, people["owner"], place) == []


def test_who_may_not_read_the_register_has_no_file_of_it(home: House, people: dict[str, Person]) -> None:
    place = risk(home, people["owner"])
    file = attach(home, people["owner"], place).json()["id"]
    member, path = people["member"], f"/v1/registers/{place}/files"
    tries = [attach(home, member, place)]
    tries += [home.call(verb, one, member.headers) for verb, one in (("GET", path), ("DELETE", f"{path}/{file}"))]
    assert [one.status_code for one in (*tries, home.call("GET", f"{path}/{file}", member.headers))] == [403] * 4
    there = home.tenant("no-register-files")
    assert attach(home, there, place).status_code == 404
    for verb, one in (("GET", path), ("GET", f"{path}/{file}"), ("DELETE", f"{path}/{file}")):
        assert code(home.call(verb, one, there.headers)) == (404, "record-not-found")
    other = risk(home, people["owner"])
    assert code(home.call("GET", f"/v1/registers/{other}/files/{file}", people["owner"].headers)) == (
        404, "file-not-found",
    )  # fmt: skip
    assert code(attach(home, people["owner"], f"vendors/{place[6:]}")) == (409, "kept-elsewhere")
    assert len(files(home, people["owner"], place)) == 1


def test_a_file_about_a_person_goes_with_them(home: House, people: dict[str, Person]) -> None:
    owner, leaver = people["owner"], people["leaver"]
    staff = {"person": "s-31", "account": leaver.id, "role": "Engineer", "joined_on": "2026-01-05"}
    place = f"staff/{opened(home, owner, 'staff', **staff)}"
    file = attach(home, owner, place, b"Signed in March").json()["id"]
    copy = home.call("POST", "/v1/export", leaver.headers)
    with zipfile.ZipFile(io.BytesIO(copy.content)) as archive:
        assert [archive.read(one) for one in archive.namelist() if file in one] == [b"Signed in March"]
    with within(SYSTEM):
        home.system.vault.erasures.request(leaver.tenant, leaver.id, actor=leaver.id, request="req_1")
    assert files(home, owner, place) == []
    assert home.call("GET", f"/v1/registers/{place}/files/{file}", owner.headers).status_code == 404
    told = home.ok("GET", f"/v1/registers/{place}/history", owner.headers)["events"]
    assert [(one["move"], one["values"]) for one in told] == [("open", None), ("attach", None)]
    stranger = {"person": "s-32", "role": "Engineer", "joined_on": "2026-01-05"}
    alone = f"staff/{opened(home, owner, 'staff', **stranger)}"
    assert code(attach(home, owner, alone)) == (409, "not-now")


def test_whom_a_file_is_about_goes_no_way_round_the_register(home: House, people: dict[str, Person]) -> None:
    """It is a part of the record: neither listed nor opened nor destroyed as an object of their own."""
    owner, member = people["owner"], people["member"]
    staff = {"person": "s-33", "account": member.id, "role": "Engineer", "joined_on": "2026-01-05"}
    place = f"staff/{opened(home, owner, 'staff', **staff)}"
    file = attach(home, owner, place, b"why they left").json()["id"]
    path = f"/v1/objects/{file}"
    tries = (path, f"{path}/content", f"/v1/files/{file}", f"/v1/files/{file}/content")
    assert {home.call("GET", one, member.headers).status_code for one in tries} == {404}
    assert {home.client.get(one, headers=member.headers).status_code for one in (f"/data/{file}",)} == {404}
    assert file not in [one["id"] for one in home.ok("GET", "/v1/objects", member.headers)["objects"]]
    assert home.ok("GET", "/v1/objects", member.headers, kind="register-file")["objects"] == []
    assert home.call("POST", f"{path}/owners", member.headers, person=owner.email).status_code == 404
    assert code(home.call("DELETE", path, member.headers)) == (409, "register-file")
    assert code(home.call("DELETE", path, owner.headers))[0] == 404  # not a word of what is about somebody else
    assert [one["here"] for one in files(home, owner, place)] == [True]


def test_a_file_goes_with_its_entry_or_stays(
    home: House, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record goes on while a file is taken away: nothing is destroyed that the record still lists."""
    owner, place = people["owner"], risk(home, people["owner"])
    file = attach(home, owner, place).json()["id"]
    delete = Objects.delete

    def late(self: Objects, *given: Any, **named: Any) -> Any:
        monkeypatch.undo()
        assert attach(home, people["admin"], place, name="other.txt").status_code == 201
        return delete(self, *given, **named)

    monkeypatch.setattr(Objects, "delete", late)
    path = f"/v1/registers/{place}/files/{file}"
    assert code(home.call("DELETE", path, owner.headers)) == (412, "stale-record")
    assert [one["here"] for one in files(home, owner, place)] == [True, True]
    assert home.call("GET", path, owner.headers).content == NOTE


def test_a_file_under_a_hold_stays(home: House, people: dict[str, Person]) -> None:
    owner, place = people["owner"], risk(home, people["owner"])
    file = attach(home, owner, place).json()["id"]
    until = epoch_ms(home.system.base.clock.now()) + 86_400_000
    wish = {"basis": "litigation", "object": file, "until": until}
    hold = home.ok("POST", "/v1/holds", people["officer"].headers, **wish)["id"]
    path = f"/v1/registers/{place}/files/{file}"
    assert code(home.call("DELETE", path, owner.headers)) == (409, "held")
    assert [one["here"] for one in files(home, owner, place)] == [True]
    assert home.call("GET", path, owner.headers).content == NOTE
    lifted = home.call("DELETE", f"/v1/holds/{hold}", people["officer"].headers, reason="mistake")
    assert lifted.is_success, lifted.text
    assert home.call("DELETE", path, owner.headers).is_success


def test_an_export_has_the_files(home: House, people: dict[str, Person]) -> None:
    there = home.tenant("register-files-out")
    place = risk(home, there)
    file = attach(home, there, place).json()
    table = home.call("GET", "/v1/register-exports/risks", there.headers, format="zip")
    with zipfile.ZipFile(io.BytesIO(table.content)) as archive:
        assert archive.read(f"files/{place[6:]}/{file['id']}") == NOTE
        told = json.loads(archive.read("risks.json"))
    assert told["records"][0]["events"][1]["values"]["file.sha256"] == file["sha256"]


def test_swapped_bytes_are_seen(home: House, people: dict[str, Person]) -> None:
    """Another object of the register's own, in the place of a file."""
    there = home.tenant("register-files-swapped")
    place = risk(home, there)
    first, other = (attach(home, there, place, one).json()["id"] for one in (b"good", b"forged"))
    with within(SYSTEM), home.system.base.database.write() as connection:
        connection.execute(update(objects).where(objects.c.id == first).values(id="obj_gone"))
        connection.execute(update(objects).where(objects.c.id == other).values(id=first))
    answer = home.call("GET", f"/v1/registers/{place}/files/{first}", there.headers)
    assert not answer.is_success
    assert b"forged" not in answer.content


def test_files_on_the_page(home: House, people: dict[str, Person]) -> None:
    desk = Visit(home, people["owner"].headers)
    place = f"/registers/{risk(home, people['owner'])}"
    sent = desk.send(f"{place}/files", files={"file": ("notes <b>.txt", NOTE, "text/plain")})
    assert sent.status_code == 303, sent.text
    page = desk.see(place)
    assert "notes &lt;b&gt;.txt" in page
    link = page.split(f'href="{place}/files/')[1].split('"')[0]
    given = home.client.get(f"{place}/files/{link}", headers=people["owner"].headers)
    assert (given.content, given.headers["content-disposition"][:10]) == (NOTE, "attachment")
    assert desk.send(f"{place}/files", files={"file": ("a.exe", b"MZ\0\0", "")}).status_code == 415
    assert desk.send(f"{place}/files/{link}/removal").status_code == 303
    assert "No file." in desk.see(place)
