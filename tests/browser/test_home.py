"""The home of officers and analysts, and registers with many records: what is red, what is due, and where it leads."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from browser.portal_world import Visit, World, accessible, fits

PHONE = {"width": 390, "height": 844}
MANY = 53  # more than one page of fifty


def day(number: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=number)).isoformat()


@pytest.fixture(scope="module")
def lessons(world: World) -> str:
    """Records of one register that a search tells from those of other tests; the first one is due first."""
    owner, mark = world.client(world.owner.session), "harbour-crane"
    for number in range(MANY):
        told = {
            "name": f"{mark} {number:03}",
            "from_what": "drill",
            "answers": world.owner.id,
            "due_on": day(number + 1),
        }
        owner.call("POST", "/v1/registers/lessons", {"values": told})
    return mark


def judged(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 1200, "height": 850})
    page.goto(path)
    expect(page.locator("h1")).to_have_count(1)
    accessible(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    fits(page)


@pytest.mark.parametrize(("role", "door"), [("privacy-officer", "Answer requests"), ("security-analyst", "Scans")])
def test_home_says_what_is_red_and_due_and_leads_there(
    world: World, visit: Visit, lessons: str, role: str, door: str
) -> None:
    person = world.person(role)
    page = visit(person, java_script_enabled=False)
    page.goto("/")
    expect(page).to_have_url(f"{world.stage.address}/home")
    counts = page.locator(".tally li")
    expect(counts).to_have_count(5)
    assert sum(int(one.split()[0]) for one in counts.all_inner_texts()[1:]) > 100  # every promise stands somewhere
    expect(page.get_by_role("link", name=door, exact=True)).to_be_visible()
    expect(
        page.locator("section", has=page.get_by_role("heading", name="Next")).locator("tbody tr").first
    ).to_be_visible()
    page.get_by_text("The same as a table").click()
    months = page.locator("section", has=page.get_by_role("heading", name="Twelve months")).locator("tbody tr")
    expect(months).to_have_count(12)
    expect(months.last).to_be_visible()
    page.get_by_role("link", name=door, exact=True).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Not allowed")
    if role == "privacy-officer":  # the other one's is the same page with other doors
        judged(visit(person), "/home")


def test_risks_are_a_picture_and_a_table(world: World, visit: Visit) -> None:
    analyst = world.person("security-analyst")
    client = world.client(analyst.session)
    made = client.call("POST", "/v1/registers/risks", {"values": {"name": "A flood", "touches": ["A"]}}).json()["id"]
    told = {"likelihood": 5, "impact": 4, "layers": 2, "answers": analyst.id, "review_by": day(30)}
    client.call("POST", f"/v1/registers/risks/{made}/moves/assess", {"values": told})
    page = visit(analyst, java_script_enabled=False)
    page.goto("/registers/risks")
    pictures = page.get_by_role("main").get_by_role("img")
    expect(pictures.first).to_have_accessible_name(re.compile(r"likelihood 5 impact 4: \d"))
    page.get_by_text("The same as a table").first.click()
    expect(page.get_by_role("row", name=re.compile(r"^5 4 high \d"))).to_be_visible()
    expect(pictures.nth(1)).to_have_accessible_name(f"Open risks at the end of each month: {trend(page)}")
    judged(visit(analyst), "/registers/risks")


def trend(page: Page) -> str:
    page.get_by_text("The same as a table").nth(1).click()
    rows = page.locator("section", has=page.get_by_role("heading", name="month by month")).locator("tbody tr")
    return ", ".join(" ".join(one.split()) for one in rows.all_inner_texts())


def test_a_register_of_many_records_is_paged_searched_and_led_by_what_is_due(
    world: World, visit: Visit, lessons: str
) -> None:
    page = visit(world.person("security-analyst"), java_script_enabled=False)
    page.goto("/registers/lessons")
    records = page.locator("section", has=page.get_by_role("heading", name="Records")).locator("tbody tr")
    due = page.locator("section", has=page.get_by_role("heading", name="Due")).locator("tbody tr")
    expect(records).to_have_count(50)
    expect(due).to_have_count(8)
    expect(due.first).to_contain_text(re.compile("due now|soon"))
    expect(due.first).to_contain_text(f"{lessons} 000")  # by its name, although the page of records has it not
    page.get_by_label("Text").fill(lessons)
    page.get_by_role("button", name="Show").click()
    expect(records).to_have_count(50)
    expect(records.first).to_contain_text(f"{lessons} {MANY - 1:03}")
    page.get_by_role("button", name="Older").click()
    expect(records).to_have_count(MANY - 50)
    expect(records.last).to_contain_text(f"{lessons} 000")
    expect(page.get_by_role("button", name="Older")).to_have_count(0)
    records.last.get_by_role("link").click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    page.goto(f"/registers/lessons?text={lessons}&state=confirmed")
    page.get_by_role("link", name="Show all").click()
    expect(records).to_have_count(50)
    page.goto("/registers/facilities")
    expect(page.get_by_text("Nothing stands here yet.")).to_be_visible()
