"""Every page: no axe violation in either colour scheme, fits a phone, works without scripts, no complaint."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from browser.portal_world import Visit, Visitor, World, accessible, fits

PHONE = {"width": 390, "height": 844}
PUBLIC = ("/trust", "/status", "/sub-processors", "/statement", "/verify", "/provenance", "/sign-in")
OWN = (
    "/data",
    "/receipts",
    "/pictures",
    "/shows-me",
    "/consent",
    "/keys",
    "/activity",
    "/account",
    "/passkeys",
    "/activate",
    "/people",
    "/auditors",
    "/machines",
    "/fleet",
    "/single-sign-on",
    "/provisioning",
    "/my-links",
    "/log",
    "/log?operation=object.list&since=2026-01-01&naming=obj_none",
    "/requests",
    "/erase",
    "/my-requests",
    "/desk",
    "/holds",
    "/redact",
    "/redact/picture",
    "/redaction",
    "/retention",
    "/placement",
    "/reviews",
    "/decisions",
    "/access",
    "/my-access",
    "/usage",
    "/usage?of=tenant",
    "/limits",
    "/routing",
    *("/registers", "/registers/policies", "/registers/incidents", "/calendar"),
    "/moderation",
    "/moderation-policy",
    "/my-cases",
    "/preserved",
    "/certificates",
)
OPERATOR = (
    *("/tenants", "/offboardings", "/vendors", "/takedowns", "/key-domains"),
    *("/placement", "/reviews", "/access", "/decisions"),
)


def address(page: Page, listing: str, link: str) -> str:
    """Where the first link like this leads."""
    page.goto(listing)
    found = page.locator(link).first.get_attribute("href")
    assert found
    return found


def deep(page: Page) -> tuple[str, ...]:
    """Pages that have an id in their address."""
    picture = address(page, "/data?kind=output", ".card .preview")
    answer = address(page, "/data?kind=answer", ".card .preview")
    deeper = (address(page, "/receipts", "td a"), address(page, "/activity", "td a"), f"{picture}/custody")
    return (picture, answer, *deeper)


def look(page: Page, paths: tuple[str, ...]) -> None:
    for path in paths:
        page.goto(path)
        expect(page.locator("h1")).to_have_count(1)
        accessible(page)
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        fits(page)
        page.set_viewport_size({"width": 1200, "height": 850})
        fits(page)


def test_public_pages(visit: Visit) -> None:
    look(visit(), PUBLIC)


def test_own_pages(olga: Visitor, visit: Visit) -> None:
    look(visit(olga.session), OWN)


def test_pages_of_single_things(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session)
    look(page, deep(page))


def test_a_record_of_a_register(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session)
    page.goto("/registers/risks")
    page.locator("summary", has_text="Open a record").click()
    accessible(page)
    page.get_by_label("What could go wrong").fill("A fire in the archive")
    page.get_by_label("Confidentiality, integrity, availability").fill("C; A")
    page.get_by_role("button", name="Open the record").click()
    page.wait_for_url("**/registers/risks/rec_*")
    page.locator("summary", has_text="Keep a file").click()
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "found.txt", "mimeType": "text/plain", "buffer": b"What was found"}
    )
    page.get_by_role("button", name="Keep the file").click()
    expect(page.get_by_role("link", name="found.txt")).to_be_visible()
    for place in range(page.locator("main details").count()):
        page.locator("main details summary").nth(place).click()
    look(page, (page.url,))


def test_operators_pages(world: World, visit: Visit) -> None:
    look(visit(world.operator), OPERATOR)


def test_refusals_too(olga: Visitor, visit: Visit) -> None:
    look(visit(olga.session, quiet=False), ("/nowhere", "/tenants"))


def test_without_javascript(olga: Visitor, visit: Visit) -> None:
    stranger, member = (visit(session, java_script_enabled=False) for session in (None, olga.session))
    for page, paths in ((stranger, PUBLIC), (member, OWN)):
        for path in paths:
            answer = page.goto(path)
            assert answer is not None
            assert answer.ok, path
            expect(page.locator("h1")).to_have_count(1)


def test_consent_without_javascript(world: World, visit: Visit) -> None:
    page = visit(world.person().session, java_script_enabled=False)
    page.goto("/consent")
    page.get_by_role("button", name="Agree: Training").click()
    expect(page.get_by_text("agreed since")).to_be_visible()
