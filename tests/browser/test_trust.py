"""Trust pages of papers with a year of history, as strangers see them: no script, in both schemes, on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from browser.portal_world import Visit, World, accessible, fits
from trust_views import page_of, view

PHONE = {"width": 390, "height": 844}


def handed_in(page: Page, paper: str) -> Page:
    """The page of a paper that this server did not publish, with the style sheet of the server."""
    page.route("**/handed-in", lambda route: route.fulfill(body=page_of(view(paper)), content_type="text/html"))
    page.goto("/handed-in")
    return page


@pytest.mark.parametrize("paper", ["zian", "dzine", "harbour"])
def test_a_paper_beside_what_is_known_of_it_is_readable_by_all(world: World, visit: Visit, paper: str) -> None:
    assert world
    page = handed_in(visit(), paper)
    accessible(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    fits(page)


def test_without_scripts_every_sentence_leads_to_its_promise(world: World, visit: Visit) -> None:
    assert world
    page = handed_in(visit(java_script_enabled=False), "harbour")
    one = page.locator(".said", has_text="TLS 1.3 and nothing older")
    assert (one.locator("svg").get_attribute("aria-label") or "").startswith("12 months: ")
    one.locator("a", has_text="CRY-01").click()
    assert "How it is checked" in page.locator("main").inner_text()


def test_the_page_of_a_promise_is_readable_by_all(world: World, visit: Visit) -> None:
    assert world
    page = visit()
    page.goto("/trust/CRY-01")
    accessible(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    fits(page)
