"""Passkeys in a real browser, with a device that Chromium itself simulates; and the way without any script."""

from __future__ import annotations

from typing import Any

import pyotp
from playwright.sync_api import CDPSession, Page, expect

from browser.portal_world import PASSWORD, Visit, World, accessible, bound, enter, fits
from browser.test_every_page import PHONE
from browser.test_first_visit import choose_password, confirm_code

_DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_device(page: Page) -> tuple[CDPSession, str]:
    """A device beside this page that keeps passkeys and knows its person."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made: dict[str, Any] = session.send("WebAuthn.addVirtualAuthenticator", {"options": _DEVICE})
    return session, made["authenticatorId"]


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_sign_up_sign_out_and_in_again_with_a_passkey_alone(world: World, visit: Visit) -> None:
    email, issued = world.issued()
    page = visit()
    device, name = with_device(page)
    enter(page, email, issued)
    choose_password(page, issued, PASSWORD, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Add your authenticator")
    accessible(page)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep these codes")
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Use a passkey").click()  # it opens the account once it was shown
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")
    (kept,) = device.send("WebAuthn.getCredentials", {"authenticatorId": name})["credentials"]
    assert (kept["isResidentCredential"], kept["rpId"]) == (True, "localhost")
    sign_out(page)
    accessible(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")
    page.goto("/account")
    expect(page.locator("dl").nth(1)).to_contain_text("1 passkey")
    expect(page.get_by_role("cell", name="passkey", exact=True)).to_be_visible()
    bound(page)
    assert sorted(one["name"] for one in page.context.cookies()) == ["__Host-bound", "__Host-device", "__Host-sid"]


def test_passkeys_are_added_named_and_removed(world: World, visit: Visit) -> None:
    person = world.person()
    page = visit(person.session, quiet=False)  # a form that is refused is an error to the browser's console
    with_device(page)
    page.goto("/passkeys")
    page.get_by_label("Name of the passkey").fill("Ring")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Your passkeys")).to_be_visible()
    accessible(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    fits(page)
    page.get_by_label("Name of the passkey Ring").fill("Old ring")
    page.get_by_role("button", name="Rename the passkey Ring").click()
    expect(page.get_by_label("Name of the passkey Old ring")).to_have_value("Old ring")
    page.get_by_role("link", name="Prove that it is you").click()  # whoever has one shows it before there is another
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Add a passkey").click()  # the same device once more
    expect(page.get_by_role("alert")).to_contain_text("a passkey of yours already")
    page.get_by_role("button", name="Remove the passkey Old ring").click()
    expect(page.get_by_role("heading", name="Your passkeys")).to_have_count(0)


def test_a_device_that_does_not_verify_its_person_does_not_sign_in(world: World, visit: Visit) -> None:
    page = visit(world.person().session, quiet=False)
    device, name = with_device(page)
    page.goto("/passkeys")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Your passkeys")).to_be_visible()
    sign_out(page)
    device.send("WebAuthn.setUserVerified", {"authenticatorId": name, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("gave no passkey")


def test_the_script_is_pinned_and_nothing_else_runs(world: World, visit: Visit) -> None:
    page = visit()
    answer = page.goto("/sign-in")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    nonce = page.locator("script").evaluate("one => one.nonce")
    assert f"script-src 'nonce-{nonce}';" in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert "unsafe" not in policy
    assert page.locator("script").count() == 1
    assert (page.locator("script").get_attribute("integrity") or "").startswith("sha384-")
    again = page.goto("/sign-in")
    assert again is not None
    assert nonce not in again.headers["content-security-policy"]
    del world


def test_first_visit_and_sign_in_with_a_code_without_javascript(world: World, visit: Visit) -> None:
    email, issued = world.issued()
    page = visit(java_script_enabled=False)
    enter(page, email, issued)
    choose_password(page, issued, PASSWORD, PASSWORD)
    expect(page.get_by_role("button", name="Add a passkey")).to_have_count(0)
    secret = page.locator(".secret").inner_text()
    confirm_code(page, pyotp.TOTP(secret).now())
    codes = page.locator(".codes li").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    sign_out(page)
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    enter(page, email, PASSWORD, codes[0])
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirming this device")  # no key can answer here
    page.get_by_role("link", name="your rights").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My requests")
    page.goto("/passkeys")
    expect(page.get_by_text("This browser makes no passkeys here")).to_be_visible()
