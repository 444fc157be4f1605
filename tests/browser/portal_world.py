"""A server with people in it, as the browser tests meet it."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pyotp
from axe_playwright_python.sync_playwright import Axe
from openai import OpenAI
from playwright.sync_api import ConsoleMessage, Locator, Page

from portal_binding import Browser as PortalBrowser
from troth.cli.client import Client
from troth.cli.demo.protect import openai_client, photo
from troth.cli.demo.stage import Stage, sign_in

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")  # as scripts/system-packages looks for it
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync""".split()
PASSWORD = "quiet harbour lamp 7"
NAME, EMAIL = "Maria Gonzalez", "maria@aurora-mail.example.org"
Visit = Callable[..., Page]  # opens a page for a person, for who has a session token, or for nobody
_SERVER = Path(__file__).with_name("serve_portal.py")
_SERVERS: dict[str, subprocess.Popen[str]] = {}  # by address


@dataclass(frozen=True)
class Visitor:
    """Somebody with everything set up."""

    id: str
    email: str
    secret: str
    session: str

    def next_code(self) -> str:
        """A code that was not used yet: the next step's, which the clock drift allows."""
        return pyotp.TOTP(self.secret).at(datetime.now(UTC) + timedelta(seconds=30))


@dataclass
class World:
    """The server, its operator and one tenant with its owner."""

    stage: Stage
    operator: str  # session token
    tenant: str
    owner: Visitor
    numbers: count[int] = field(default_factory=lambda: count(1))

    def portal(self, who: Visitor | str) -> dict[str, str]:
        """The cookies of a browser of this person, or of who has this session: signed in a moment ago, on a device.

        A test's own key answers for it, so the page's script finds none and leaves the cookies as they are.
        """
        person = self.client(who).call("GET", "/v1/me").json()["id"] if isinstance(who, str) else who.id
        with httpx2.Client(
            base_url=self.stage.address, verify=ssl.create_default_context(cafile=self.stage.authority)
        ) as client:
            browser = PortalBrowser(client, self.stage.address, opened(self.stage, person), extra={})
            assert browser.bind().status_code == 200
        return browser.jar

    @property
    def mail(self) -> str:
        """Socket file of the e-mail desk."""
        return str(_socket_of(self.stage))

    def client(self, session: str | None = None) -> Client:
        return self.stage.client(session)

    def issued(self, *roles: str, name: str = "Maria") -> tuple[str, str]:
        """(e-mail, issued password) of a fresh person who was never here."""
        email = f"person{next(self.numbers)}@aurora.example.org"
        wish = {"email": email, "display_name": name, "roles": list(roles or ("member",))}
        made = self.client(self.owner.session).call("POST", "/v1/users", wish).json()
        return email, str(made["password"])

    def person(self, *roles: str, name: str = "Maria") -> Visitor:
        """A fresh person with everything set up."""
        return settled(self.stage, *self.issued(*roles, name=name))

    @contextmanager
    def openai(self, person: Visitor) -> Iterator[OpenAI]:
        """The official client with a fresh key of this person."""
        wish = {"name": "test", "scopes": ["generate", "own-data"], "days": 1}
        token = self.client(person.session).call("POST", "/v1/keys", wish).json()["token"]
        with openai_client(self.stage, token) as client:
            yield client

    def upload(self, person: Visitor, name: str = "holiday.jpg") -> str:
        """A photograph kept for this person; its object id."""
        with self.openai(person) as client:
            return client.files.create(file=(name, photo(), "image/jpeg"), purpose="vision").id


@dataclass
class Console:
    """What a page complained of."""

    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def fail(self, error: Any) -> None:
        self.complaints.append(str(error))


def opened(stage: Stage, person: str) -> str:
    """A session of this person as a sign-in at the portal opens it."""
    server = _SERVERS[stage.address]
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(f"{person}\n")
    server.stdin.flush()
    return server.stdout.readline().strip()


def _socket_of(stage: Stage) -> Path:
    return stage.data.parent / "lmtp"


@contextmanager
def serving(stage: Stage, **more: str) -> Iterator[dict[str, str]]:
    """The server in a process of its own, with `more` in its environment; gives the operator's credentials."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    environment |= {
        "TROTH_DATA__FOLDER": str(stage.data),
        "TROTH_DATA__KEYS": str(stage.keys),
        "TROTH_SERVER__PORT": str(stage.port),
        "TROTH_SERVER__REQUESTS_PER_MINUTE": "100000",
        "TROTH_SERVER__ANONYMOUS_PER_MINUTE": "100000",
        "TROTH_IDENTITY__SSO_PRIVATE_NETWORKS": '["127.0.0.0/8"]',  # where the tests' identity providers stand
        "TROTH_IDENTITY__SSO_PLAIN_LOOPBACK": "true",
        "TROTH_MAIL__LISTEN": f"unix:{_socket_of(stage)}",
        "TROTH_CONFIG": os.devnull,
        **more,
    }
    with stage.journal.open("wb") as journal:
        server = subprocess.Popen(
            [sys.executable, _SERVER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=journal,
            text=True,
        )
        _SERVERS[stage.address] = server
        try:
            assert server.stdout is not None
            first = server.stdout.readline()
            assert first, stage.journal.read_text()
            yield json.loads(first)
        finally:
            server.terminate()
            server.wait(30)
            assert server.stdin is not None
            server.stdin.close()
            assert server.stdout is not None
            server.stdout.close()


def founded(stage: Stage, credentials: dict[str, str]) -> World:
    """A world with one tenant."""
    operator = sign_in(stage, "operator@localhost.test", credentials["password"], credentials["secret"])
    wish = {
        "name": "Aurora <b>Studio</b>",
        "jurisdiction": "eu",
        "owner_email": "owner@aurora.example.org",
        "owner_name": "Olga Owner",
    }
    made = stage.client(operator).call("POST", "/v1/tenants", wish).json()
    owner = settled(stage, "owner@aurora.example.org", made["password"])
    return World(stage, operator, made["id"], owner)


def settled(stage: Stage, email: str, issued: str) -> Visitor:
    """First visit through the API."""
    made = stage.client().call("POST", "/v1/sessions", {"email": email, "password": issued}).json()
    first = stage.client(made["token"])
    secret = first.call("POST", "/v1/totp", {}).json()["secret"]
    done = first.call("POST", "/v1/totp/confirm", {"totp": pyotp.TOTP(secret).now()}).json()
    changed = stage.client(done["token"]).call("POST", "/v1/password", {"current": issued, "new": PASSWORD}).json()
    me = stage.client(changed["token"]).call("GET", "/v1/me").json()
    return Visitor(me["id"], email, secret, changed["token"])


def furnished(world: World) -> Visitor:
    """An owner of whom everything there is, is kept: pictures, an upload, an answer, receipts, consent, a key."""
    person = world.person("owner", name="Olga <script>document.title='owned'</script> \"O'Hara\"")
    with world.openai(person) as client:
        prompt = f"a calm poster of mountains for {NAME}, {EMAIL}"
        client.images.generate(model="troth-studio-1", prompt=prompt, size="256x256")
        said = [{"role": "user", "content": f"hello from {NAME}, {EMAIL}"}]
        client.chat.completions.create(model="troth-echo-1", messages=said, store=True)  # type: ignore[arg-type]
        client.files.create(file=("<img src=x onerror=alert(1)>.jpg", photo(), "image/jpeg"), purpose="vision")
    session = world.client(person.session)
    session.call("POST", "/v1/consents", {"purpose": "training", "notice": "2026-11"})
    return person


def accessible(page: Page) -> None:
    """No violation of any axe rule in the light scheme, and none of contrast in the dark one.

    The page must be one with scripts: without them axe waits for ever.
    """
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    assert len(found.response["passes"]) > 5  # it really looked
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate("() => axe.run({runOnly: ['color-contrast']})")
    assert dark["violations"] == [], f"{page.url} (dark): {json.dumps(dark['violations'], indent=1)}"
    page.emulate_media(color_scheme="light")


def through(page: Page, door: str) -> None:
    """Go to a page by the navigation: open the section that has the door, then follow it."""
    main = page.get_by_role("navigation", name="Main")
    section = main.locator("details").filter(has=page.get_by_role("link", name=door, exact=True, include_hidden=True))
    if section.count():
        section.locator("summary").click()
    main.get_by_role("link", name=door, exact=True).click()


def fits(page: Page) -> None:
    """Nothing is wider than the window."""
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert over <= 0, f"{page.url} is {over} px wider than the window"


def enter(page: Page, email: str, password: str, code: str = "") -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_label("One-time code").fill(code)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()


def bound(page: Page) -> None:
    """Wait until a key of this browser answers for its session."""
    for _ in range(100):
        if "__Host-bound" in [one["name"] for one in page.context.cookies()]:
            return
        page.wait_for_timeout(100)
    raise AssertionError("the session is not bound after ten seconds")


def proof_of(page: Page, link: Locator) -> None:
    """Follow the link to an entry's proof, patiently: the newest entries are signed within a second or two."""
    link.click()
    for _ in range(20):
        if page.get_by_role("heading", level=1).inner_text().startswith("Entry"):
            return
        page.wait_for_timeout(250)
        page.get_by_role("link", name="Try again").click()
    raise AssertionError("the entry is not signed after five seconds")
