"""A browser's session and the key that answers for it, in a real browser: what is copied of it dies."""

from __future__ import annotations

import base64
import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browser.portal_world import (
    CHROMIUM,
    FLAGS,
    PASSWORD,
    Visitor,
    World,
    bound,
    enter,
    founded,
    serving,
)
from troth.cli.demo.stage import fresh_stage

LIFE = 6  # seconds of the cookie that stands for the device, on this server
NATIVE = "--enable-features=EnableBoundSessionCredentialsSoftwareKeysForManualTesting,DeviceBoundSessions"
CONFIRMING = "Confirming this device"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server whose cookies of devices live for seconds."""
    stage = fresh_stage(tmp_path_factory.mktemp("short"))
    with serving(stage, TROTH_IDENTITY__BOUND_SECONDS=str(LIFE)) as credentials:
        yield founded(stage, credentials)


def signed_in(world: World, page: Page, person: Visitor) -> None:
    enter(page, person.email, PASSWORD, person.next_code())
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")


def opened(world: World, browser: Browser, **options: Any) -> BrowserContext:
    context = browser.new_context(ignore_https_errors=True, base_url=world.stage.address, **options)
    context.set_default_timeout(15_000)
    return context


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def test_a_key_that_cannot_be_copied_answers_for_the_session(short: World, browser: Browser) -> None:
    home, thief = opened(short, browser), opened(short, browser)
    page = home.new_page()
    signed_in(short, page, short.person())
    bound(page)
    thief.add_cookies(home.cookies())  # type: ignore[arg-type]
    assert (
        page.evaluate(
            """async () => {
          const database = await new Promise((done) => {
            const request = indexedDB.open("troth-device", 1);
            request.onsuccess = () => done(request.result);
          });
          const pair = await new Promise((done) => {
            const request = database.transaction("keys").objectStore("keys").get("pair");
            request.onsuccess = () => done(request.result);
          });
          try { await crypto.subtle.exportKey("jwk", pair.privateKey); return "exported"; }
          catch (error) { return error.name; }
        }"""
        )
        == "InvalidAccessError"
    )
    stolen = thief.new_page()
    page.wait_for_timeout((LIFE + 1) * 1000)
    stolen.goto("/data")
    expect(stolen.get_by_text("could not show that it is the device")).to_be_visible()
    assert heading(stolen) == CONFIRMING
    page.goto("/data")  # at home a page that was away for long, or was never open, goes on by itself
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")
    stolen.goto("/account")
    expect(stolen.get_by_text("could not show that it is the device")).to_be_visible()
    home.close()
    thief.close()


def test_a_browser_that_binds_by_itself_leaves_a_thief_nothing(short: World, browser: Browser, tmp_path: Path) -> None:
    """Device Bound Session Credentials, which Chromium speaks only where it trusts the certificate."""
    flags, address = [*FLAGS, NATIVE, f"--ignore-certificate-errors-spki-list={_pin(short)}"], short.stage.address
    home = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=CHROMIUM, args=flags, base_url=address, java_script_enabled=False
    )
    thief = opened(short, browser, java_script_enabled=False)
    page, stolen = home.new_page(), thief.new_page()
    person = short.person()
    enter(page, person.email, PASSWORD, person.next_code())
    bound(page)
    page.get_by_role("link", name="ask again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")
    thief.add_cookies(home.cookies())  # type: ignore[arg-type]
    page.goto("/account")
    expect(page.get_by_role("cell", name="bound by the browser")).to_be_visible()
    page.wait_for_timeout((LIFE + 1) * 1000)
    stolen.goto("/data")
    expect(stolen.get_by_role("heading", level=1)).to_have_text(CONFIRMING)
    page.goto("/data")
    expect(page.get_by_role("heading", level=1)).to_have_text("My data")
    home.close()
    thief.close()


def test_without_scripts_and_keys_the_account_and_rights_are_there(short: World, browser: Browser) -> None:
    """TOTP sign-in with neither JavaScript nor a browser that binds sessions."""
    plain = opened(short, browser, java_script_enabled=False)
    person, page = short.person(), plain.new_page()
    enter(page, person.email, PASSWORD, person.next_code())
    expect(page.get_by_role("heading", level=1)).to_have_text(CONFIRMING)
    expect(page.get_by_text("That takes a browser that runs scripts")).to_be_visible()
    for path, title in (("/account", "Account"), ("/my-requests", "My requests")):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
    plain.close()


def _pin(world: World) -> str:
    """The digest of the server's public key, by which this browser trusts it."""
    pem = ssl.get_server_certificate(("localhost", world.stage.port))
    key = load_pem_x509_certificate(pem.encode()).public_key()
    public = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()
