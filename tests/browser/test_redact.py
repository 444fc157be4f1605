"""A person tries redaction on a text of their own: without scripts, in light and dark, readable without colour."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.portal_world import Visit, Visitor, accessible, fits
from picture_world import FACES, faces_in

_PATIENCE = 60_000  # ms: the first picture of a server loads the models


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sample(olga: Visitor, visit: Visit, scheme: str) -> None:
    page = visit(olga.session, color_scheme=scheme)
    page.goto("/redact")
    page.get_by_role("button", name="Try it with a sample").click()
    found = page.get_by_role("region", name="What was found")
    expect(found.locator("mark", has_text="tomasz wieczorek")).to_contain_text("PERSON")
    left = page.get_by_role("region", name="What is left")
    expect(left).not_to_contain_text("wieczorek")
    expect(left).to_contain_text("Version 2.4.1")
    accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)


def test_own_text_another_policy_and_tier_without_javascript(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session, java_script_enabled=False)
    page.goto("/redact")
    text = "  <b>Call</b> maria@example.org about 4111 1111 1111 1111 & sons"
    page.get_by_label("Your text").fill(text)
    page.get_by_label("Shipped: training sets").check()
    page.get_by_label("Rules What has").check()
    page.get_by_role("button", name="Redact", exact=True).click()
    expect(page.get_by_label("Your text")).to_have_value(text)
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download the text").click()
    assert Path(begun.value.path()).read_text() == "  <b>Call</b> <EMAIL> about <CREDIT_CARD> & sons"
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download the finds").click()
    spans = json.loads(Path(begun.value.path()).read_text())["spans"]
    assert [text[one["start"] : one["end"]] for one in spans] == ["maria@example.org", "4111 1111 1111 1111"]
    assert "maria" not in json.dumps(spans)


def test_nothing_to_find_and_nothing_given(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session, quiet=False)
    page.goto("/redact")
    page.get_by_label("Your text").fill("the weather in spring")
    page.get_by_role("button", name="Redact", exact=True).click()
    expect(page.get_by_text("Nothing that this policy takes out")).to_be_visible()
    page.goto("/redact")
    page.get_by_role("button", name="Redact", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Paste a text")


def test_a_picture(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session)
    page.goto("/redact/picture")
    page.get_by_label("Your picture").set_input_files(FACES / "astronaut.jpg")
    page.get_by_role("button", name="Cover faces as the policy says").click()
    expect(page.get_by_role("img", name="Your picture, cleaned")).to_be_visible(timeout=_PATIENCE)
    expect(page.get_by_role("cell", name="FACE Faces")).to_be_visible()
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download the picture").click()
    assert not faces_in(Path(begun.value.path()).read_bytes())
    accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)


def test_a_picture_without_javascript(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session, quiet=False, java_script_enabled=False)
    page.goto("/redact/picture")
    page.get_by_label("Your picture").set_input_files(FACES / "astronaut.jpg")
    page.get_by_role("button", name="Keep faces").click()
    expect(page.get_by_text("Nothing was found that the policy takes out")).to_be_visible(timeout=_PATIENCE)
    page.get_by_label("Your picture").set_input_files(FACES / "NOTICE")
    page.get_by_role("button", name="Keep faces").click()
    expect(page.get_by_role("alert")).to_contain_text("JPEG, PNG, WebP, GIF or TIFF")
