"""My data: seen, read, taken away, erased."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.portal_world import EMAIL, NAME, PASSWORD, Visit, Visitor, World, accessible, enter, proof_of
from troth.cli.client import Refused


def test_generated_pictures_are_previewed(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session)
    page.goto("/data", wait_until="networkidle")
    widths = page.locator(".card img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert len(widths) == 2
    assert min(widths) > 0
    page.get_by_role("link", name="Pictures made").click()
    expect(page.locator(".card")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download Picture").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    assert download.value.suggested_filename.endswith(".png")


def test_a_picture_leads_to_what_the_vendor_received(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session)
    page.goto("/data?kind=output")
    page.get_by_role("link", name="Look at Picture").click()
    page.get_by_role("link", name="What the vendor received").click()
    expect(page.locator(".received")).to_contain_text("a calm poster of mountains for <PERSON")
    everything = page.get_by_role("main").inner_text()
    assert NAME not in everything
    assert EMAIL not in everything
    assert sorted(page.locator(".withheld li").all_inner_texts()) == ["1 email", "1 person"]
    for said in ("local-studio", "this machine", "nothing is kept", "none needed"):
        assert said in everything
    page.get_by_role("link", name="What came of it").click()
    expect(page.locator("img.large")).to_be_visible()


def test_an_answer_is_read_in_the_page(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session)
    page.goto("/data?kind=answer")
    page.get_by_role("link", name="Look at Answer").click()
    expect(page.locator(".answer")).to_contain_text(NAME)  # restored for her


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_a_video_is_seen_taken_away_and_erased(world: World, visit: Visit) -> None:
    person = world.person("member")
    with world.openai(person) as client:
        client.images.generate(model="troth-studio-1", prompt="waves", size="96x96", output_format="svg")  # type: ignore[call-overload]
        wish: Any = {"model": "troth-motion-1", "size": "320x180", "seconds": "2"}
        ordered = client.videos.create(prompt=f"the sea for {NAME}", **wish)
        page = visit(person.session, java_script_enabled=False)  # it works without scripts
        page.goto(f"/videos/{ordered.id}")
        expect(page.get_by_role("main")).to_contain_text(f"the sea for {NAME}")
        assert client.videos.poll(ordered.id, poll_interval_ms=300).status == "completed"
    page.goto("/pictures")
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".card img")).to_have_count(1)  # a drawing is not shown, it is downloaded
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the video").click()
    assert download.value.path().read_bytes()[4:8] == b"ftyp"
    scripted = visit(person.session)
    for path in ("/pictures", f"/videos/{ordered.id}"):
        scripted.goto(path, wait_until="networkidle")
        assert min(scripted.locator("main img").evaluate_all("all => all.map(one => one.naturalWidth)")) > 0
        accessible(scripted)
    page.get_by_role("link", name="Look at the video").click()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.locator(".card")).to_have_count(1)
    assert page.request.get(f"/videos/{ordered.id}/thumbnail").status == 404


def test_a_copy_of_everything(olga: Visitor, visit: Visit) -> None:
    page = visit(olga.session)
    page.goto("/data")
    with page.expect_download() as download:
        page.get_by_role("button", name="Take a copy of everything").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert "manifest.json" in archive.namelist()
        assert sum(name.startswith("files/") for name in archive.namelist()) >= 4


def certificate_on(page: Page, folder: Path) -> str:
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the certificate").click()
    target = folder / "certificate.json"
    download.value.save_as(target)
    return target.read_text()


def verify(page: Page, document: str) -> None:
    page.goto("/verify")
    page.get_by_label("Or its text").fill(document)
    page.get_by_role("button", name="Check it").click()


def test_one_object_is_erased_and_its_certificate_holds(world: World, visit: Visit, tmp_path: Path) -> None:
    person = world.person()
    identifier = world.upload(person)
    page = visit(person.session)
    page.goto("/data")
    page.get_by_role("link", name="Erase holiday.jpg").click()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Erased")
    accessible(page)
    document = certificate_on(page, tmp_path)
    page.get_by_role("button", name="Check it now").click()
    expect(page.get_by_role("status")).to_contain_text("This certificate holds.")
    accessible(page)
    stranger = visit(quiet=False)
    verify(stranger, document)
    expect(stranger.get_by_role("status")).to_contain_text("This certificate holds.")
    envelope = json.loads(document)
    statement = bytearray(base64.b64decode(envelope["payload"]))
    place = statement.index(b'"count":') + len(b'"count":')
    statement[place] ^= 1
    verify(stranger, json.dumps(envelope | {"payload": base64.b64encode(statement).decode()}))
    expect(stranger.get_by_role("alert")).to_contain_text("This does not hold.")
    gone = stranger.context.new_page()
    assert gone.goto(f"/data/{identifier}") is not None
    expect(gone).to_have_url(f"{world.stage.address}/sign-in")
    left = visit(person.session, quiet=False)
    answer = left.goto(f"/data/{identifier}")
    assert answer is not None
    assert answer.status in (404, 410)


def test_everything_is_erased_and_nobody_signs_in(world: World, visit: Visit, tmp_path: Path) -> None:
    person = world.person()
    world.upload(person)
    page = visit(person.session, quiet=False)
    page.goto("/data")
    page.get_by_role("link", name="Erase everything").click()
    page.get_by_label("Type").fill("yes")
    page.get_by_role("main").get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("alert")).to_contain_text("Type the words")
    page.get_by_label("Type").fill("Erase everything about me")
    page.get_by_role("main").get_by_role("button", name="Erase everything").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are forgotten")
    assert len(page.locator(".secret").inner_text()) == 64  # the salt, 32 bytes in hex
    accessible(page)
    document = certificate_on(page, tmp_path)
    assert page.context.cookies() == []
    verify(page, document)
    expect(page.get_by_role("status")).to_contain_text("This certificate holds.")
    expect(page.locator("dl.facts")).to_contain_text("a person and everything kept about them")
    enter(page, person.email, PASSWORD, person.next_code())
    expect(page.get_by_role("alert")).to_contain_text("Check the e-mail address")


def test_consent_is_given_and_withdrawn(world: World, visit: Visit) -> None:
    page = visit(world.person().session)
    page.goto("/consent")
    page.get_by_role("button", name="Agree: Training").click()
    expect(page.get_by_text("agreed since")).to_be_visible()
    page.get_by_role("button", name="Withdraw: Training").click()
    expect(page.get_by_text("agreed since")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Signed receipt").click()
    assert "payload" in json.loads(download.value.path().read_text())


def test_a_key_is_shown_once_and_ended(world: World, visit: Visit) -> None:
    page = visit(world.person().session, quiet=False)
    page.goto("/keys")
    page.get_by_label("Name").fill("my <b>laptop</b>")
    page.get_by_label("read my data").check()
    page.get_by_role("button", name="Make a key").click()
    token = page.locator("#token").inner_text()
    assert world.client(token).call("GET", "/v1/objects").json()["objects"] == []
    page.goto("/keys")
    assert token not in page.content()
    expect(page.get_by_role("cell", name="my <b>laptop</b>", exact=True)).to_be_visible()
    page.get_by_role("button", name="End the key my <b>laptop</b>").click()
    expect(page.get_by_role("table")).to_have_count(0)
    page.get_by_label("Name").fill("no permission")
    page.get_by_label("generate text and pictures").uncheck()
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("alert")).to_contain_text("at least one permission")


def test_a_key_is_kept_to_networks_and_replaced(world: World, visit: Visit) -> None:
    page = visit(world.person().session, quiet=False)
    page.goto("/keys")
    page.get_by_label("Name").fill("batch")
    page.get_by_label("Only from these networks").fill("203.0.113.0/24\n2001:db8::/32")
    page.get_by_label("Only with these models").fill("troth-echo-1")
    page.get_by_role("button", name="Make a key").click()
    first = page.locator("#token").inner_text()
    expect(page.get_by_text("only from 203.0.113.0/24, 2001:db8::/32")).to_be_visible()
    expect(page.get_by_text("only with troth-echo-1")).to_be_visible()
    with pytest.raises(Refused) as refused:
        world.client(first).call("GET", "/v1/models")
    assert refused.value.code == "key_network"
    page.get_by_label("How long the key batch goes on").select_option("24")
    page.get_by_role("button", name="Replace the key batch").click()
    assert page.locator("#token").inner_text() != first
    accessible(page)
    expect(page.get_by_text("replaced", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Somebody showed this key from a network")
    page.get_by_label("Name").fill("wrong")
    page.get_by_label("Only from these networks").fill("203.0.113.7/24")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("alert").first).to_contain_text("nothing behind the prefix")


def test_activity_speaks_and_proves(world: World, visit: Visit) -> None:
    person = world.person()
    page = visit(person.session)
    page.goto("/consent")
    page.get_by_role("button", name="Agree: Training").click()
    page.goto("/activity")
    told = page.get_by_role("cell", name="Agreed to a purpose")
    for _ in range(20):  # an entry has its place within a moment
        if told.is_visible():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(told).to_be_visible()
    proof_of(page, page.locator("tr", has_text="Agreed to a purpose").get_by_role("link", name="Entry"))
    expect(page.locator("pre").first).to_contain_text('"op": "consent.grant"')
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the proof").click()
    assert download.value.path().read_text().startswith("c2sp.org/tlog-proof@v1")


def test_one_s_own_password_and_sessions(world: World, visit: Visit) -> None:
    person = world.person()
    page = visit(person.session)
    page.goto("/account")
    expect(page.get_by_role("cell", name="this one")).to_be_visible()
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill("another harbour 8")
    page.get_by_label("New password, once more").fill("another harbour 8")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("status")).to_contain_text("Your password is changed")
    page.goto("/data")  # the cookie moved on with the session
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")
