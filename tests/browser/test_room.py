"""The auditor's room: who has it alone finds everything in it, without scripts, on a phone, and nothing beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.portal_world import Visit, Visitor, World, accessible, fits

PHONE = {"width": 390, "height": 844}
CHECK = "sentences-bound"  # of the one promise of the room
LESSON = {"name": "Drill again", "from_what": "drill", "answers": "p-9", "due_on": "2199-01-01"}


def day(number: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=number)).isoformat()


def opened(world: World, form: str, **values: Any) -> str:
    made = world.client(world.owner.session).call("POST", f"/v1/registers/{form}", {"values": values})
    return str(made.json()["id"])


@pytest.fixture(scope="module")
def guest(world: World) -> Visitor:
    return world.person("room-auditor", name="Ada Auditor")


@pytest.fixture(scope="module")
def room(world: World, guest: Visitor) -> str:
    opened(world, "lessons", **LESSON)
    wish = {"name": "Second <b>half</b>", "of_promises": ["GOV-22"], "of_registers": ["lessons", "risks"]}
    days = {"period_from": day(-30), "period_to": day(-1), "until": day(30)}
    return opened(world, "rooms", auditor=guest.id, **wish, **days)


def told(page: Page, words: str) -> None:
    expect(page.get_by_role("alert")).to_contain_text(words)


def test_who_has_the_room_alone_lands_in_it_and_asks(world: World, visit: Visit, guest: Visitor, room: str) -> None:
    page = visit(guest, java_script_enabled=False)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Second <b>half</b>")
    page.get_by_label("About").select_option("GOV-22")
    page.get_by_label("What you ask or found").fill("Who reads <i>the list</i>?")
    page.get_by_role("button", name="Send").click()
    asked = page.locator("article", has_text="Who reads <i>the list</i>?")
    expect(asked).to_contain_text("waits")
    found = world.client(world.owner.session).call("GET", "/v1/registers/room-questions").json()["records"]
    question = next(one["id"] for one in found if one["values"]["room"] == room)
    answer = {"values": {"answer": "The officer, each Monday."}}
    world.client(world.owner.session).call("POST", f"/v1/registers/room-questions/{question}/moves/answer", answer)
    page.reload()
    expect(asked.locator("blockquote")).to_have_text("The officer, each Monday.")


def test_what_is_not_closed_yet_is_said(visit: Visit, guest: Visitor, room: str) -> None:
    page = visit(guest, java_script_enabled=False, quiet=False)
    page.goto(f"/room/{room}")
    expect(page.get_by_role("link", name="Signed bundle")).to_have_count(0)
    page.get_by_role("link", name="Report (PDF)").click()
    told(page, "The period is not closed yet")
    page.get_by_role("link", name=CHECK).click()
    page.get_by_label("Your nonce").fill("a-nonce-of-mine")
    page.get_by_role("button", name="Draw").click()
    told(page, "not closed in the log")
    expect(page.get_by_label("Your nonce")).to_have_value("a-nonce-of-mine")
    page.goto(f"/room/{room}/checks/{CHECK}?from={day(-400)}")
    told(page, "outside of the room")


def test_every_page_of_the_room_is_accessible_and_fits(visit: Visit, guest: Visitor, room: str) -> None:
    page = visit(guest)
    for path in (f"/room/{room}", f"/room/{room}/checks/{CHECK}", f"/room/{room}/registers/lessons"):
        page.set_viewport_size({"width": 1200, "height": 850})
        page.goto(path)
        expect(page.locator("h1")).to_have_count(1)
        accessible(page)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        fits(page)


def test_nothing_beside_the_room_opens(visit: Visit, world: World, guest: Visitor, room: str) -> None:
    page = visit(guest, quiet=False)
    for path in ("/data", "/log", "/registers/room-questions"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403, path
    page = visit(world.person("auditor"), quiet=False)
    answer = page.goto(f"/room/{room}")
    assert answer is not None
    assert answer.status == 404
    page.goto("/room")
    expect(page.get_by_text("No room is open for you now.")).to_be_visible()
    accessible(page)
