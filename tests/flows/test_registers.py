"""Registers from the door on: records, moves by two people, files in and out, erasure, and a form without code."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from house import House, Person
from register_calls import code, move, opened
from troth.governance import store
from troth.governance.forms.reading import shipped
from troth.governance.loading import Forms
from troth.governance.moves import By
from troth.governance.records import content_digest
from troth.governance.store import Search
from troth.governance.tables import events, records
from troth.kernel.errors import IntegrityError, Invalid
from troth.kernel.scope import SYSTEM, within
from troth.storage.placement import installation

REGISTERS = Path(__file__).parent / "registers"
RISK = {"name": "A fire", "touches": "A"}
LESSON = {"name": "Drill again", "from_what": "drill", "answers": "p-9", "due_on": "2199-01-01"}
POLICY = {"name": "Access", "document": "obj_1", "change": "major"}


@pytest.fixture(scope="module")
def people(home: House) -> dict[str, Person]:
    owner = home.tenant("registers")
    roles = {"second": "owner", "admin": "admin", "officer": "privacy-officer", "member": "member"}
    made = {name: home.member(owner, f"{name}@registers.example.org", role) for name, role in roles.items()}
    return {"owner": owner, **made}


def in_force(home: House, people: dict[str, Person]) -> str:
    policy = opened(home, people["admin"], "policies", **POLICY)
    place = f"policies/{policy}"
    assert move(home, people["admin"], place, "propose").is_success
    dates = {"effective": "2026-01-01", "review_by": "2199-01-01"}
    assert move(home, people["owner"], place, "approve", **dates).is_success
    return policy


def test_a_policy_is_approved_by_a_second_person(home: House, people: dict[str, Person]) -> None:
    owner, place = people["owner"], f"policies/{opened(home, people['owner'], 'policies', **POLICY)}"
    assert code(move(home, owner, place, "approve")) == (409, "not-now")
    assert move(home, people["admin"], place, "propose").is_success
    dates = {"effective": "2026-01-01", "review_by": "2199-01-01"}
    assert code(move(home, people["admin"], place, "approve", **dates)) == (403, "wrong-role")
    assert code(move(home, owner, place, "approve", **dates)) == (403, "own-move")
    assert code(move(home, people["second"], place, "approve")) == (422, "move-needs")
    assert code(move(home, people["second"], place, "celebrate")) == (404, "no-such-move")
    done = move(home, people["second"], place, "approve", **dates).json()
    assert (done["state"], done["values"]["approved_by"]) == ("in-force", people["second"].id)
    shown = home.ok("GET", f"/v1/registers/{place}", owner.headers)
    assert shown["record"]["values"]["author"] == owner.id
    assert "retire" in shown["moves"]
    assert "approve" not in shown["moves"]


def test_nobody_enters_another_author(home: House, people: dict[str, Person]) -> None:
    """Whoever types another name would approve their own work."""
    wish = {**POLICY, "author": people["second"].id}
    refused = home.call("POST", "/v1/registers/policies", people["owner"].headers, values=wish)
    assert code(refused) == (422, "bad-field")


def test_a_staff_record_is_the_same_person_as_its_account(home: House, people: dict[str, Person]) -> None:
    staff = {"person": "s-77", "account": people["second"].id, "role": "Engineer", "joined_on": "2026-01-05"}
    opened(home, people["admin"], "staff", **staff)
    contact = {"purpose": "security", "address": "security@example.org", "own_domain": True, "answers": "s-77"}
    record = opened(home, people["admin"], "contacts", **contact)
    tried = {"tried_on": "2026-11-01", "answered": True}
    assert code(move(home, people["second"], f"contacts/{record}", "try", **tried)) == (403, "own-move")
    assert move(home, people["owner"], f"contacts/{record}", "try", **tried).is_success


def test_a_move_upon_something_older_is_refused(home: House, people: dict[str, Person]) -> None:
    place = f"policies/{opened(home, people['admin'], 'policies', **POLICY)}"
    path = f"/v1/registers/{place}/moves/propose"
    assert code(home.call("POST", path, people["admin"].headers, seen=2)) == (412, "stale-record")
    assert home.call("POST", path, people["admin"].headers, seen=1).is_success


def test_of_two_moves_at_once_one_is_made(home: House, people: dict[str, Person]) -> None:
    """Both have read the record before either writes."""
    record = opened(home, people["admin"], "policies", **POLICY)
    registers = home.system.governance.registers
    with within(SYSTEM), registers.database.read() as connection:
        before = connection.execute(select(records).where(records.c.id == record)).mappings().one()
    assert move(home, people["admin"], f"policies/{record}", "propose").is_success
    with within(SYSTEM), registers.database.write() as connection:
        stale = {"sequence": before["sequence"], "head": before["head"]}
        late = update(records).where(records.c.id == record, *(records.c[one] == stale[one] for one in stale))
        assert connection.execute(late.values(state="retired")).rowcount == 0


def test_every_entry_stands_in_the_log_with_its_digest(home: House, people: dict[str, Person]) -> None:
    record = in_force(home, people)
    history = home.ok("GET", f"/v1/registers/policies/{record}/history", people["owner"].headers)["events"]
    assert [one["move"] for one in history] == ["open", "propose", "approve"]
    home.system.base.sequencer.flush()
    log = home.ok("GET", "/v1/activity", people["owner"].headers, operation="register.entered", limit=200)
    facts = [one["facts"] for one in log["entries"] if one["facts"].get("object") == record]
    found = {one["sequence"]: (one["digest"], one["previous"], one["link"]) for one in facts}
    assert found == {one["sequence"]: (one["digest"], one["previous"], one["link"]) for one in history}


def test_a_move_while_records_are_read_is_no_alarm(
    home: House, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the row of a record and its entries somebody moves it: what is read is of one moment."""
    registers, admin = home.system.governance.registers, people["admin"]
    by = By(admin.tenant, admin.id, admin.id, frozenset({"admin"}), "req_1")
    for read in (
        lambda place: registers.show(by, "policies", place).record.state,
        lambda place: {one.id: one.state for one in registers.find(by, "policies", Search()).records}[place],
        lambda place: {one.id: one.state for one in registers.records(by.tenant, "policies")}[place],
    ):
        record = opened(home, admin, "policies", **POLICY)
        steps = [lambda place=f"policies/{record}": move(home, admin, place, "propose")]
        for name in ("events_of", "all_of", "heads"):
            monkeypatch.setattr(store, name, partial(_after, steps, getattr(store, name)))
        with within(SYSTEM):
            assert read(record) == "draft"
        monkeypatch.undo()
        assert not steps
        with within(SYSTEM):
            assert read(record) == "in-review"


def _after(steps: list[Callable[[], Any]], kept: Callable[..., Any], *given: Any) -> Any:
    if steps:
        assert steps.pop()().is_success
    return kept(*given)


@pytest.mark.parametrize("column", ["content", "digest", "previous", "actor", "state", "at"])
def test_an_edited_entry_is_seen(home: House, people: dict[str, Person], column: str) -> None:
    record = in_force(home, people)
    registers = home.system.governance.registers
    mine = (events.c.record == record, events.c.sequence == 2)
    with within(SYSTEM), registers.database.write() as connection:
        row = connection.execute(select(events).where(*mine)).mappings().one()
        other = select(events.c.content).where(events.c.record == record, events.c.sequence == 1)
        content = connection.execute(other).scalar_one()
        altered = {"content": content, "at": row["at"] + 1}.get(column, "0" * 24)
        connection.execute(update(events).where(*mine).values({column: altered}))
    try:
        with within(SYSTEM), pytest.raises(IntegrityError) as refusal:
            registers.records(people["owner"].tenant, "policies")
        assert refusal.value.code == "register-chain"
    finally:
        with within(SYSTEM), registers.database.write() as connection:
            connection.execute(update(events).where(*mine).values({column: row[column]}))


def test_a_dropped_record_is_seen(home: House, people: dict[str, Person]) -> None:
    """A row of its own says that there must be events, and the other way round."""
    record = opened(home, people["admin"], "risks", **RISK)
    registers, tenant = home.system.governance.registers, people["owner"].tenant
    with within(SYSTEM), registers.database.write() as connection:
        row = connection.execute(select(records).where(records.c.id == record)).mappings().one()
        connection.execute(delete(records).where(records.c.id == record))
    with within(SYSTEM), pytest.raises(IntegrityError):
        registers.records(tenant, "risks")
    with within(SYSTEM), registers.database.write() as connection:
        connection.execute(insert(records), dict(row))
    with within(SYSTEM):
        assert record in {one.id for one in registers.records(tenant, "risks")}


def test_contents_do_not_lie_in_clear(home: House, people: dict[str, Person]) -> None:
    mark = "a-leak-at-the-seventh-harbour"
    opened(home, people["admin"], "risks", **{**RISK, "name": mark})
    assert not any(mark.encode() in content for content in home.contents())


def test_a_table_goes_out_and_comes_in_again(home: House, people: dict[str, Person]) -> None:
    """A name that a spreadsheet would calculate is defanged, and comes back as it was."""
    admin, name = people["admin"], "=HYPERLINK(1)"
    opened(home, admin, "policies", **{**POLICY, "name": name})
    table = home.call("GET", "/v1/register-exports/policies", admin.headers)
    assert table.headers["content-type"].startswith("text/csv")
    rows = [row for row in csv.DictReader(io.StringIO(table.text)) if "HYPERLINK" in row["name"]]
    assert rows[0]["name"] == "'" + name
    wish = {column: rows[0][column] for column in ("name", "document", "change", "id", "state")}
    tried = home.ok("POST", "/v1/register-imports/policies", admin.headers, rows=[wish])
    assert (tried["applied"], tried["problems"]) == (False, [])
    done = home.ok("POST", "/v1/register-imports/policies", admin.headers, rows=[wish, wish], apply=True)
    assert (done["applied"], done["rows"]) == (True, 2)
    page = home.ok("GET", "/v1/registers/policies", admin.headers, text="hyperlink")["records"]
    assert [one["values"]["name"] for one in page] == [name] * 3


def test_an_import_is_all_or_nothing(home: House, people: dict[str, Person]) -> None:
    admin = people["admin"]
    before = _count(home, admin, "risks")
    bad = [RISK, {**RISK, "touches": "enormous"}, {"name": "alone"}]
    done = home.ok("POST", "/v1/register-imports/risks", admin.headers, rows=bad, apply=True)
    assert [one["row"] for one in done["problems"]] == [2, 3]
    assert (done["applied"], _count(home, admin, "risks")) == (False, before)
    many = home.call("POST", "/v1/register-imports/risks", admin.headers, rows=[RISK] * 5001, apply=True)
    assert many.status_code == 422


def _count(home: House, who: Person, form: str) -> int:
    known = home.ok("GET", "/v1/registers", who.headers)["registers"]
    return int(next(one["records"] for one in known if one["form"] == form))


def test_an_export_with_histories_proves_the_digests(home: House, people: dict[str, Person]) -> None:
    record = in_force(home, people)
    answer = home.call("GET", "/v1/register-exports/policies", people["owner"].headers, format="json")
    told = next(one for one in answer.json()["records"] if one["id"] == record)
    for one in told["events"]:
        assert content_digest(bytes.fromhex(one["salt"]), one["values"]) == one["digest"]


def test_pages_follow_each_other(home: House, people: dict[str, Person]) -> None:
    admin = people["admin"]
    made = {opened(home, admin, "lessons", **LESSON) for _ in range(5)}
    seen, after = [], None
    while True:
        query = {"limit": 2} | ({"after": after} if after else {})
        page = home.ok("GET", "/v1/registers/lessons", admin.headers, **query)
        seen += [one["id"] for one in page["records"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen))
    assert made <= set(seen)


def test_everybody_attests_for_themselves(home: House, people: dict[str, Person]) -> None:
    owner, member = people["owner"], people["member"]
    policy = in_force(home, people)
    path = f"/v1/registers/policies/{policy}/acts/attest"
    assert code(home.call("POST", path, member.headers)) == (403, "no-member")
    staff = {"person": member.id, "account": member.id, "role": "Engineer", "joined_on": "2026-01-05"}
    record = opened(home, people["admin"], "staff", **staff)
    due = {one["person"] for one in _dues(home, owner) if one["record"] == policy}
    assert record in due
    done = home.ok("POST", path, member.headers)["at"]
    assert home.ok("POST", path, member.headers)["at"] == done > 0
    with within(SYSTEM):
        registers = home.system.governance.registers
        kept = registers.items(member.tenant, registers.records(member.tenant, "policies"))
    assert [one.at for one in kept if one.member == record] == [done]
    assert record not in {one["person"] for one in _dues(home, owner) if one["record"] == policy}


def test_who_may_not_read_a_record_is_not_told_its_state(home: House, people: dict[str, Person]) -> None:
    draft = opened(home, people["admin"], "policies", **POLICY)
    refused = home.call("POST", f"/v1/registers/policies/{draft}/acts/attest", people["member"].headers)
    assert code(refused) == (409, "not-now")
    assert "draft" not in refused.text


def _dues(home: House, who: Person) -> list[dict[str, Any]]:
    return list(home.ok("GET", "/v1/register-dues", who.headers)["dues"])


def test_who_may_not_read_a_register_sees_nothing_of_it(home: House, people: dict[str, Person]) -> None:
    admin, officer = people["admin"], people["officer"]
    record = opened(home, admin, "visitors", visitor="v-1", host=admin.id, came_on="2026-11-20")
    for path in ("visitors", f"visitors/{record}", f"visitors/{record}/history"):
        assert code(home.call("GET", f"/v1/registers/{path}", officer.headers)) == (403, "wrong-role")
    assert code(home.call("GET", "/v1/register-exports/visitors", officer.headers)) == (403, "wrong-role")
    assert code(move(home, officer, f"visitors/{record}", "leave")) == (403, "wrong-role")
    known = {one["form"] for one in home.ok("GET", "/v1/registers", officer.headers)["registers"]}
    assert "visitors" not in known
    assert "policies" in known
    assert not [one for one in _dues(home, officer) if one["form"] == "visitors"]
    assert [one for one in _dues(home, admin) if one["record"] == record]


def test_one_register_that_is_not_in_order_blocks_no_other(home: House, people: dict[str, Person]) -> None:
    """It is named on the page and in the list of what is due; whoever may not read it is not told."""
    admin, officer = people["admin"], people["officer"]
    lesson = opened(home, admin, "lessons", **LESSON)
    visit = opened(home, admin, "visitors", visitor="v-3", host=admin.id, came_on="2026-11-20")
    mine, registers = records.c.id == visit, home.system.governance.registers
    with within(SYSTEM), registers.database.write() as connection:
        head = connection.execute(select(records.c.head).where(mine)).scalar_one()
        connection.execute(update(records).where(mine).values(head="0" * 64))
    try:
        known = home.ok("GET", "/v1/register-dues", admin.headers)
        assert known["unjudged"] == ["visitors"]
        assert lesson in {one["record"] for one in known["dues"]}
        assert "Cannot be judged" in home.client.get("/registers", headers=admin.headers).text
        assert home.ok("GET", "/v1/register-dues", officer.headers)["unjudged"] == []
        assert home.ok("GET", "/v1/registers", officer.headers)["unjudged"] == []
    finally:
        with within(SYSTEM), registers.database.write() as connection:
            connection.execute(update(records).where(mine).values(head=head))


def test_what_another_room_keeps_is_read_here_and_entered_there(home: House, people: dict[str, Person]) -> None:
    owner = people["owner"]
    wish = {"basis": "litigation", "until": 2_000_000_000_000, "subject": "usr_" + "a" * 26}
    hold = home.ok("POST", "/v1/holds", people["officer"].headers, **wish)["id"]
    shown = home.ok("GET", f"/v1/registers/holds/{hold}", owner.headers)
    assert (shown["record"]["values"]["ground"], shown["moves"], shown["reasons"]) == ("litigation", [], [])
    assert home.ok("GET", f"/v1/registers/holds/{hold}/history", owner.headers)["events"] == []
    assert [one["id"] for one in home.ok("GET", "/v1/registers/holds", owner.headers)["records"]] == [hold]
    assert hold in home.call("GET", "/v1/register-exports/holds", owner.headers).text
    move = home.call("POST", f"/v1/registers/holds/{hold}/moves/lift", owner.headers, values={})
    assert code(move) == (404, "no-such-move")
    assert code(home.call("POST", "/v1/registers/holds", owner.headers)) == (409, "not-now")
    assert "litigation" in home.client.get(f"/registers/holds/{hold}", headers=owner.headers).text


def test_what_is_kept_for_the_service_is_read_by_the_house_alone(home: House, people: dict[str, Person]) -> None:
    owner = people["owner"]
    assert code(home.call("GET", "/v1/registers/vendors", owner.headers)) == (409, "kept-elsewhere")
    home.ok("POST", f"/v1/house/{owner.tenant}", home.operator, reason="checked")
    try:
        assert home.ok("GET", "/v1/registers/vendors", owner.headers)["records"] == []
        mapped = home.ok("GET", "/v1/registers/activities", owner.headers, limit=5)
        assert len(mapped["records"]) == 5
        assert mapped["next"]
        elsewhere = {name for name, form in shipped().items() if form.source is not None}
        assert set(home.system.governance.registers.rooms.sources) == elsewhere
        for name in elsewhere:
            assert home.call("GET", f"/v1/registers/{name}", owner.headers).is_success
        known = {one["form"]: one["readable"] for one in home.ok("GET", "/v1/registers", owner.headers)["registers"]}
        assert (known["vendors"], known["risks"], known["backups"]) == (True, True, True)
    finally:
        with home.system.base.database.write() as connection:
            connection.execute(update(installation).values(house=None))


def test_a_form_of_the_folder_needs_no_code(home: House, people: dict[str, Person]) -> None:
    """tests/flows/registers/visitors.yaml: opened, moved by a second person, exported; texts go with their person."""
    admin, owner = people["admin"], people["owner"]
    guest = home.member(owner, "guest@registers.example.org")
    record = opened(
        home, admin, "visitors", visitor=guest.id, host=admin.id, came_on="2026-11-20", rooms="hall; archive"
    )
    note = "wore the yellow oilskin"
    assert move(home, admin, f"visitors/{record}", "note", note=note).is_success
    assert code(move(home, admin, f"visitors/{record}", "leave", left_on="2026-11-20")) == (403, "own-move")
    shown = home.ok("GET", f"/v1/registers/visitors/{record}", owner.headers)["record"]["values"]
    assert (shown["note"], shown["rooms"]) == (note, ["hall", "archive"])
    copy = home.call("POST", "/v1/export", guest.headers).content
    with zipfile.ZipFile(io.BytesIO(copy)) as archive:
        assert any(note.encode() in archive.read(name) for name in archive.namelist())
    assert home.ok("POST", "/v1/erasures", owner.headers, subject=guest.id)["state"] == "done"
    after = home.ok("GET", f"/v1/registers/visitors/{record}", owner.headers)["record"]
    assert ("note" in after["values"], after["forgotten"], after["sequence"]) == (False, 1, 2)
    assert move(home, owner, f"visitors/{record}", "leave", left_on="2026-11-20").is_success
    again = move(home, owner, f"visitors/{record}", "note", note="back again")
    assert again.status_code == 410
    table = home.call("GET", "/v1/register-exports/visitors", admin.headers).text
    assert record in table
    assert note not in table


def test_a_form_of_the_folder_that_is_not_in_order_is_refused(tmp_path: Path) -> None:
    text = (REGISTERS / "visitors.yaml").read_text()
    (tmp_path / "visitors.yaml").write_text(text.replace("came_on: -5d", "came_on: today"))
    forms = Forms(tmp_path)
    with pytest.raises(Invalid) as refusal:
        forms.get("visitors")
    assert refusal.value.code == "bad-form"
    (tmp_path / "guests.yaml").write_text(text)
    (tmp_path / "callers.yaml").write_text(text.replace("form: visitors", "form: callers"))
    sound, wrong = Forms(tmp_path).sound()
    assert wrong == ("guests", "visitors")
    assert {"callers", "policies"} <= {one.name for one in sound}
    with pytest.raises(Invalid):
        Forms(tmp_path).get("guests")


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        Forms(tmp_path / "nowhere")
    assert refusal.value.code == "bad-setting"
