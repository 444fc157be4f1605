"""Objects of several people in the portal: an owner adds people, somebody shown decides. No script is needed."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.portal_world import Visit, World, accessible, fits


def test_an_owner_shares_and_somebody_shown_has_it_erased(world: World, visit: Visit) -> None:
    anna, bert, cleo = (world.person(name=name) for name in ("Anna", "Bert", "Cleo"))
    identifier = world.upload(anna, "party.jpg")
    page = visit(anna.session)
    page.goto(f"/data/{identifier}")
    page.get_by_label("Add an owner").fill(bert.email)
    page.get_by_role("button", name="Add as an owner").click()
    page.get_by_label("It shows somebody").fill(cleo.email)
    page.get_by_role("button", name="Name them").click()
    expect(page.locator("#people")).to_contain_text(f"you, {bert.email}")
    expect(page.locator("#people")).to_contain_text(cleo.email)
    accessible(page)
    fits(page)

    shown = visit(cleo.session)
    shown.goto("/data")
    shown.get_by_role("link", name="What shows me").click()
    expect(shown.get_by_role("main")).to_contain_text(identifier)
    assert "party.jpg" not in shown.content()
    accessible(shown)
    fits(shown)
    shown.get_by_role("button", name="Restrict the use of my data").click()
    page.reload()
    expect(page.get_by_role("heading", name="Kept, and not used")).to_be_visible()
    accessible(page)
    shown.goto("/shows-me")
    shown.get_by_role("button", name="Erase it for everybody").click()
    expect(shown.get_by_role("heading", level=1)).to_have_text("Erased")
    shown.goto("/shows-me")
    expect(shown.get_by_role("heading", name="Nothing shows you")).to_be_visible()
