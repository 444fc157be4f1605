"""Requests in a browser: asked, confirmed after a mail, handled at the desk, answered; and the browser's own signal."""

from __future__ import annotations

import smtplib

from playwright.sync_api import Page, expect

from browser.portal_world import Visit, Visitor, World, accessible, fits, through

PHONE = {"width": 390, "height": 844}


def looked_at(page: Page) -> None:
    """No axe violation in either scheme, and nothing too wide on a desk or a phone."""
    accessible(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    fits(page)
    page.set_viewport_size({"width": 1200, "height": 850})
    fits(page)


def write_to_the_desk(world: World, sender: str, subject: str, text: str) -> None:
    """A mail, as the mail server next door hands it over."""
    with smtplib.LMTP(world.mail) as client:
        message = f"From: {sender}\r\nSubject: {subject}\r\n\r\n{text}\r\n"
        client.sendmail(sender, [f"privacy+{world.tenant}@localhost.test"], message)


def officer(world: World) -> Visitor:
    return world.person("privacy-officer", name="Priya Officer")


def test_a_person_asks_and_an_officer_answers(world: World, visit: Visit) -> None:
    person = world.person(name="Maria <b>Gonzalez</b>")
    page = visit(person.session)
    page.goto("/my-requests")
    looked_at(page)
    page.get_by_label("What you ask for").select_option("access")
    page.get_by_label("In your words, if you like").fill("What do you have of me? <script>alert(1)</script>")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A copy of my data")
    expect(page.get_by_text("on time")).to_be_visible()
    looked_at(page)
    request = page.url

    desk = visit(officer(world).session, quiet=False)
    desk.goto("/")
    through(desk, "Privacy desk")
    looked_at(desk)
    desk.goto(f"/desk/{request.rpartition('/')[2]}")
    looked_at(desk)
    desk.get_by_role("button", name="Take it").click()
    desk.get_by_label("Because").select_option("complexity")
    desk.get_by_role("button", name="Take longer").click()
    expect(desk.get_by_role("button", name="Take longer")).to_have_count(0)
    desk.get_by_label("Your answer").fill("Take the archive below.")
    desk.get_by_role("button", name="Answer").click()
    expect(desk.get_by_text("What was answered")).to_be_visible()

    page.goto(request)
    expect(page.get_by_text("Take the archive below.")).to_be_visible()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Take a copy of everything").click()
    assert taken.value.suggested_filename == "my-data.zip"


def test_a_mail_waits_for_its_person(world: World, visit: Visit) -> None:
    person = world.person(name="Mail Writer")
    write_to_the_desk(world, person.email, "My data", "Please erase me.")
    write_to_the_desk(world, "joe@nowhere.example.org", "Hello", "And me.")
    desk = visit(officer(world).session, quiet=False)
    desk.goto("/desk")
    expect(desk.get_by_text("To send by hand")).to_be_visible()
    looked_at(desk)
    desk.get_by_text("Receipt to joe@nowhere.example.org").click()
    desk.get_by_role("button", name="I sent it: Receipt to joe@nowhere.example.org").click()
    expect(desk.get_by_text("receipt confirmed")).to_be_visible()
    looked_at(desk)

    page = visit(person.session)
    page.goto("/my-requests")
    page.get_by_role("link", name="Open: A message, not sorted yet").click()
    looked_at(page)
    page.get_by_role("button", name="Yes, it is mine").click()
    expect(page.get_by_text("identity shown")).to_be_visible()
    page.get_by_role("button", name="Take the request back").click()
    expect(page.get_by_text("You took this request back.")).to_be_visible()


def test_an_objection_and_a_statement(world: World, visit: Visit) -> None:
    page = visit(world.person().session)
    page.goto("/my-requests")
    page.get_by_label("What you ask for").select_option("objection")
    page.get_by_label("If you object: to which use").select_option("training")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("the use ended the moment you asked")).to_be_visible()
    page.goto("/my-requests")
    page.get_by_label("About").fill("account")
    page.get_by_label("Your statement").fill("My age is 41.")
    page.get_by_role("button", name="Attach it").click()
    expect(page.get_by_text("My age is 41.")).to_be_visible()
    looked_at(page)
    page.get_by_role("button", name="Take back: training of models").click()
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)


def test_the_browsers_signal_is_honoured(world: World, visit: Visit) -> None:
    page = visit(world.person().session, extra_http_headers={"Sec-GPC": "1"})
    page.goto("/my-requests")
    expect(page.get_by_role("status")).to_contain_text("privacy signal is honoured")
    looked_at(page)


def test_correcting_the_account(world: World, visit: Visit) -> None:
    person = world.person(name="Marai")
    page = visit(person.session, quiet=False)
    page.goto("/account")
    looked_at(page)
    page.get_by_label("Name", exact=True).fill("Maria")
    page.get_by_label("One-time code").fill("000000")
    page.get_by_role("button", name="Correct it").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Maria")
    page.get_by_label("One-time code").fill(person.next_code())
    page.get_by_role("button", name="Correct it").click()
    expect(page.get_by_role("status")).to_contain_text("corrected")
    expect(page.get_by_text("Maria", exact=True)).to_be_visible()
