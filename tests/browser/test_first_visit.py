"""A person's first visit, and coming back."""

from __future__ import annotations

import pyotp
from playwright.sync_api import Page, expect

from browser.portal_world import PASSWORD, Visit, World, accessible, bound, enter


def choose_password(page: Page, issued: str, new: str, again: str) -> None:
    page.get_by_label("The password you were given").fill(issued)
    page.get_by_label("New password", exact=True).fill(new)
    page.get_by_label("New password, once more").fill(again)
    page.get_by_role("button", name="Go on").click()


def confirm_code(page: Page, code: str) -> None:
    page.get_by_label("Code from the app").fill(code)
    page.get_by_role("button", name="Confirm").click()


def test_from_the_issued_password_to_my_data(world: World, visit: Visit) -> None:
    email, issued = world.issued()
    page = visit()
    enter(page, email, issued)
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome")
    accessible(page)
    page.goto("/data")  # nothing is reached before both steps are done
    expect(page).to_have_url(f"{world.stage.address}/welcome")
    page.goto("/welcome/password")
    choose_password(page, issued, PASSWORD, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Add your authenticator")
    accessible(page)
    secret = page.locator(".secret").inner_text()
    confirm_code(page, pyotp.TOTP(secret).now())
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep these codes")
    accessible(page)
    codes = page.locator(".codes li").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{world.stage.address}/sign-in")
    enter(page, email, PASSWORD, codes[0])
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")
    page.goto("/account")
    expect(page.locator("dl").nth(1)).to_contain_text("9 left")


def test_the_authenticator_may_come_first(world: World, visit: Visit) -> None:
    email, issued = world.issued()
    page = visit()
    enter(page, email, issued)
    page.goto("/welcome")
    confirm_code(page, pyotp.TOTP(page.locator(".secret").inner_text()).now())
    page.get_by_role("link", name="I have kept them").click()
    choose_password(page, issued, PASSWORD, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")


def test_mistakes_are_told_and_lose_nothing(world: World, visit: Visit) -> None:
    email, issued = world.issued()
    page = visit(quiet=False)  # browsers log a refused form as an error
    enter(page, email, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("Check the e-mail address")
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    enter(page, email, issued)
    choose_password(page, issued, PASSWORD, "something else 99")
    expect(page.get_by_role("alert")).to_contain_text("differ")
    choose_password(page, issued, "passwordpassword", "passwordpassword")
    expect(page.get_by_role("alert")).to_contain_text("attackers try first")
    choose_password(page, issued, PASSWORD, PASSWORD)
    secret = page.locator(".secret").inner_text()
    wrong = "000000" if pyotp.TOTP(secret).now() != "000000" else "111111"
    confirm_code(page, wrong)
    expect(page.get_by_role("alert")).to_contain_text("not right")
    assert page.locator(".secret").inner_text() == secret  # it is in the app already
    confirm_code(page, pyotp.TOTP(secret).now())
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep these codes")


def test_whoever_is_half_way_can_leave(world: World, visit: Visit) -> None:
    page = visit()
    enter(page, *world.issued())
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{world.stage.address}/sign-in")


def test_an_ended_session_is_told(world: World, visit: Visit) -> None:
    person = world.person()
    page = visit(person.session)
    page.goto("/data")
    for one in world.client(person.session).call("GET", "/v1/sessions").json()["sessions"]:
        if one["bound"] == "webcrypto":
            world.client(person.session).call("DELETE", f"/v1/sessions/{one['id']}")
    page.goto("/consent")
    expect(page.get_by_role("status")).to_contain_text("Your session has ended")
    assert [one["name"] for one in page.context.cookies() if one["name"] == "__Host-sid"] == []


def test_cookies_belong_to_this_host_over_tls_and_to_no_script(world: World, visit: Visit) -> None:
    page = visit()
    person = world.person()
    enter(page, person.email, PASSWORD, person.next_code())
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")
    bound(page)
    cookies = page.context.cookies()
    assert sorted(one["name"] for one in cookies) == ["__Host-bound", "__Host-device", "__Host-sid"]
    for one in cookies:
        assert (one["secure"], one["httpOnly"], one["sameSite"], one["path"]) == (True, True, "Lax", "/")
        assert one["domain"] == "localhost"  # not ".localhost": no other host gets it
    assert page.evaluate("document.cookie") == ""
