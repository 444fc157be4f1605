"""What roles do for others, and that each is offered only doors that open."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser.portal_world import Visit, World, accessible, fits, proof_of, settled, through

MINE = ("My data", "Consent", "My requests", "Redact a text", "Account")
COMMON = (*MINE, "My access", "Activity", "Certificates", "Promises")
VENDORS = ("Choice of vendors", "Limits and budgets")
PHONE = {"width": 390, "height": 844}
_ONE_ROW, _TWO_ROWS = 64, 100  # px of the bar


def offered(page: Page) -> list[str]:
    doors = page.get_by_role("navigation", name="Main").get_by_role("link", include_hidden=True)
    return [(door.text_content() or "") for door in doors.all()]


@pytest.mark.parametrize(
    ("role", "doors"),
    [
        ("member", ["API keys", *COMMON]),
        (
            "admin",
            [
                "API keys",
                *COMMON,
                "People",
                "Auditors",
                "Single sign-on",
                "Provisioning",
                *VENDORS,
                "Registers",
                "Calendar",
            ],
        ),
        ("auditor", [*COMMON, "Access", "Log", "Reviews", "Decisions", "Moderation", "Rooms"]),
        ("room-auditor", ["Rooms", "My requests", "Account", "My access", "Certificates", "Promises"]),
        (
            "privacy-officer",
            [
                *COMMON,
                "Privacy desk",
                "Holds",
                "Retention",
                "Redaction policy",
                "Placement",
                "Moderation",
                "Preserved evidence",
                "Registers",
                "Calendar",
                "Home",
            ],
        ),
    ],
)
def test_every_door_that_a_role_is_offered_opens(world: World, visit: Visit, role: str, doors: list[str]) -> None:
    page = visit(world.person(role).session)
    page.goto("/")
    assert sorted(offered(page)) == sorted(doors)
    main = page.get_by_role("navigation", name="Main")
    for door in doors:
        through(page, door)
        entry = main.get_by_role("link", name=door, exact=True, include_hidden=True)
        expect(entry).to_have_attribute("aria-current", "page")
        grouped = main.locator("details a[aria-current]").count()  # the only door of its section stands by itself
        expect(main.locator("summary[aria-current]")).to_have_count(grouped)


def test_the_navigation_needs_little_room_and_no_script(world: World, visit: Visit) -> None:
    for session in (world.owner.session, world.operator):
        page = visit(session, java_script_enabled=False)
        page.goto("/log")
        for size, most in (({"width": 1200, "height": 850}, _ONE_ROW), (PHONE, _TWO_ROWS)):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            box = page.locator("header.bar").bounding_box()
            assert box is not None
            assert box["height"] <= most
        page.get_by_role("navigation", name="Main").locator("summary").first.focus()
        page.keyboard.press("Enter")  # the first section opens, its first door is next
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/tenants" if session == world.operator else "**/data")


def test_every_section_that_is_open_is_accessible(world: World, visit: Visit) -> None:
    page = visit(world.owner.session)
    page.goto("/log")
    sections = page.get_by_role("navigation", name="Main").locator("summary")
    for size in ({"width": 1200, "height": 850}, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for place in range(sections.count()):
            sections.nth(place).click()
            assert page.locator("header details[open]").count() == 1
            accessible(page)
            fits(page)
        sections.last.click()


def test_a_door_that_is_not_offered_stays_shut(world: World, visit: Visit) -> None:
    page = visit(world.person("member").session, quiet=False)
    for path in ("/people", "/log", "/tenants", "/vendors", "/takedowns", "/preserved"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403
        expect(page.get_by_role("heading", level=1)).to_have_text("Not allowed")


def test_an_operator_runs_the_service(world: World, visit: Visit) -> None:
    page = visit(world.operator)
    page.goto("/")
    service = ["Tenants", "Off-boarding", "Placement", "Vendors", "Take-downs", "Keys"]
    assert offered(page) == [*service, "Log", "Reviews", "Access", "Decisions", "Promises", "Account"]
    page.get_by_label("Name of the organisation").fill("Borealis <i>Games</i>")
    page.get_by_label("Name of its first owner").fill("Bo")
    page.get_by_label("E-mail address of the owner").fill("bo@borealis.example.org")
    page.get_by_role("button", name="Create").click()
    issued = page.locator("#issued").inner_text()
    expect(page.get_by_role("cell", name="Borealis <i>Games</i>")).to_be_visible()
    owner = settled(world.stage, "bo@borealis.example.org", issued)
    assert world.client(owner.session).call("GET", "/v1/me").json()["jurisdiction"] == "eu"
    through(page, "Log")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("What").select_option("tenant.create")
    page.get_by_role("button", name="Show").click()
    proof_of(page, page.get_by_role("link", name="Entry").first)
    expect(page.locator("pre").first).to_contain_text('"op": "tenant.create"')
    accessible(page)


def test_a_vendor_is_approved_by_somebody_else_and_suspended(world: World, visit: Visit) -> None:
    facts = {
        "name": "Bright <b>Models</b>",
        "base_url": "https://vendor.example.org/v1",
        "offers": [{"model": "bright-1", "upstream": "b1", "kind": "chat"}],
    }
    world.client(world.operator).call("POST", "/v1/vendors", {"vendor_id": "bright", "facts": facts})
    page = visit(world.operator, quiet=False)
    page.goto("/vendors")
    expect(page.get_by_text("Missing")).to_be_visible()
    page.get_by_label("Why: approve Bright <b>Models</b>").select_option("checked")
    page.get_by_role("button", name="Approve Bright <b>Models</b>").click()
    expect(page.get_by_role("alert")).to_contain_text("somebody other than its requester")
    page.get_by_label("Why: suspend Bright <b>Models</b>").select_option("security")
    page.get_by_role("button", name="Suspend Bright <b>Models</b>").click()
    expect(page.get_by_text("suspended", exact=True)).to_be_visible()


def test_an_owner_adds_people_and_changes_their_roles(world: World, visit: Visit) -> None:
    page = visit(world.owner.session, quiet=False)
    page.goto("/people")
    page.get_by_label("E-mail address").fill("new@aurora.example.org")
    page.get_by_label("Name", exact=True).fill("New <script>alert(1)</script> Person")
    page.get_by_role("button", name="Add", exact=True).click()
    person = settled(world.stage, "new@aurora.example.org", page.locator("#issued").inner_text())
    row = page.locator("tr", has_text="new@aurora.example.org")
    row.get_by_text("Change", exact=True).click()
    row.get_by_label("Give", exact=True).select_option("auditor")
    row.get_by_role("button", name="Give").click()
    expect(row.locator("td").nth(1)).to_contain_text("auditor")
    row.get_by_text("Change", exact=True).click()
    row.get_by_role("button", name="Take away: auditor").click()
    expect(row.locator("td").nth(1)).not_to_contain_text("auditor")
    row.get_by_text("Change", exact=True).click()
    theirs = visit(person)  # signed in anew: a change of roles ends the sessions before it
    row.get_by_role("button", name="Shut").click()
    expect(row).to_contain_text("shut out")
    theirs.goto("/data")
    expect(theirs.get_by_role("status")).to_contain_text("Your session has ended")
    page.get_by_label("E-mail address").fill("new@aurora.example.org")
    page.get_by_label("Name", exact=True).fill("Twice")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("exists already")


def test_a_privacy_officer_erases_on_request(world: World, visit: Visit) -> None:
    person = world.person()
    world.upload(person)
    theirs = visit(person)
    page = visit(world.person("privacy-officer").session)
    page.goto(f"/requests?subject={person.id}")
    page.get_by_label("Type").fill("erase this person")
    page.get_by_role("button", name="Erase this person").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The person is forgotten")
    page.get_by_role("button", name="Check it now").click()
    expect(page.get_by_role("status")).to_contain_text("This certificate holds.")
    theirs.goto("/data")
    expect(theirs).to_have_url(f"{world.stage.address}/sign-in?ended=1")


def test_an_auditor_filters_and_proves(world: World, visit: Visit) -> None:
    person = world.person("auditor")
    page = visit(person.session)
    page.goto(f"/log?actor={person.id}&operation=totp.confirm")
    expect(page.get_by_role("row")).to_have_count(2)  # its heading and the entry
    proof_of(page, page.get_by_role("link", name="Entry"))
    expect(page.locator("pre").first).to_contain_text(person.id)
