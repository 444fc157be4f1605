"""The log in a browser: filtered without scripts, taken away, details opened with a reason; auditors for a time."""

from __future__ import annotations

import csv
import json

from playwright.sync_api import expect

from browser.portal_world import Visit, World, accessible, fits


def test_a_person_filters_their_own_activity_and_sees_from_where(world: World, visit: Visit) -> None:
    page = visit(world.person().session, java_script_enabled=False)
    page.goto("/data")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/activity")
    expect(page.get_by_role("cell", name="Listed the data")).to_be_in_viewport()
    expect(page.get_by_label("What")).to_be_hidden()
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("What").select_option(label="Listed the data")
    page.get_by_label("From day").fill("2026-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_label("To day").fill("2026-01-02")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Nothing here.")).to_be_visible()
    expect(page.get_by_text("3 set")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(page.get_by_label("What")).to_be_hidden()
    expect(page.get_by_role("cell", name="Listed the data")).to_be_visible()


def test_an_auditor_opens_details_with_a_reason_and_the_person_sees_it(world: World, visit: Visit) -> None:
    person, auditor = world.person(), world.person("auditor")
    theirs = visit(person.session)
    theirs.goto("/data")
    page = visit(auditor.session)
    page.goto(f"/log?actor={person.id}&operation=object.list")
    page.get_by_role("link", name="Entry").click()
    expect(page.get_by_text("sealed under that person")).to_be_visible()
    page.get_by_label("Why").fill("ticket 4711: strange sign-ins")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("127.0.0.1")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="portal")).to_be_visible()
    accessible(page)
    theirs.goto("/activity?operation=audit.details")
    expect(theirs.get_by_role("row")).to_have_count(2)
    expect(theirs.get_by_text("Opened the personal details of an entry").last).to_be_visible()


def test_an_auditor_takes_a_copy_away(world: World, visit: Visit) -> None:
    page = visit(world.person("auditor").session)
    page.goto("/log?operation=user.create")
    with page.expect_download() as proof:
        page.get_by_role("link", name="Take the proof of").first.click()
    assert proof.value.suggested_filename.endswith(".tlog-proof")
    assert proof.value.path().read_text().startswith("c2sp.org/tlog-proof@v1")
    with page.expect_download() as table:
        page.get_by_role("link", name="Table (CSV)").click()
    rows = list(csv.DictReader(table.value.path().read_text().splitlines()))
    assert {row["operation"] for row in rows} == {"user.create"}
    with page.expect_download() as events:
        page.get_by_role("link", name="OCSF").click()
    lines = [json.loads(line) for line in events.value.path().read_text().splitlines()]
    assert {line["class_uid"] for line in lines} == {3001}
    assert len(lines) == len(rows) > 0


def test_an_owner_lets_an_auditor_in_and_out(world: World, visit: Visit) -> None:
    guest = world.person(name="Gail Guest")
    page = visit(world.owner.session)
    page.goto("/auditors")
    page.get_by_label("Person").select_option(value=guest.id)
    page.get_by_label("For how many days").fill("3")
    page.get_by_label("Why").fill("yearly audit by Guest and Sons")
    page.get_by_role("button", name="Give access").click()
    row = page.get_by_role("row").filter(has_text=guest.email)
    expect(row).to_contain_text("Olga Owner")
    accessible(page)
    fits(page)
    theirs = visit(guest.session)
    theirs.goto("/log")
    expect(theirs.get_by_role("heading", level=1)).to_have_text("Log")
    row.get_by_role("button", name="End the access").click()
    expect(page.get_by_role("row").filter(has_text=guest.email)).to_have_count(0)
    theirs = visit(guest.session, quiet=False)
    theirs.goto("/log")
    expect(theirs.get_by_text("Not allowed")).to_be_visible()
