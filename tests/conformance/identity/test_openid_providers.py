"""Real OpenID providers of others, started here: people come in by the whole code flow and are sent out again."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest

import troth
from conformance.identity.browsing import HOME, Browser
from conformance.identity.provider_processes import free_port, started
from sso_world import ASKING, SETTINGS, SsoWorld, sso_world
from troth.identity.sign_in import SignedIn
from troth.identity.sso.connections import SsoConnection
from troth.identity.sso.oidc import Response, Started
from troth.identity.sso.subjects import Subject
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Unauthenticated
from troth.kernel.scope import SYSTEM, within
from worlds import person

ROOT = Path(troth.__file__).parents[2]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SsoWorld]:
    with sso_world(tmp_path_factory.mktemp("real"), clock=SystemClock(), seconds=20.0) as made:
        yield made


@contextmanager
def mailbox() -> Iterator[tuple[str, queue.Queue[str]]]:
    """Where a provider posts its logout tokens to."""
    arrived: queue.Queue[str] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            arrived.put(parse_qs(body)["logout_token"][0])
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/logout", arrived
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with httpx2.Client(timeout=20) as client:
        yield Browser(client)


@pytest.fixture(scope="module")
def node_provider(home: SsoWorld) -> Iterator[tuple[SsoConnection, queue.Queue[str]]]:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with within(SYSTEM):
        connection = home.connect(home.world.tenant().id, issuer, settings={**SETTINGS, "scopes": ["profile", "email"]})
    redirect = home.party.redirect_uri(connection.id)
    with mailbox() as (address, arrived):
        command = ("node", HERE / "provider.mjs", ROOT / ".venv/idp-npm", issuer, str(port), redirect, address)
        with started(*command, ready="ready"):
            yield connection, arrived


def through_node(home: SsoWorld, connection: SsoConnection, browser: Browser, login: str) -> tuple[SignedIn, Response]:
    begun = asyncio.run(home.party.begin(connection.id))
    page = browser.open(begun.location)
    page = browser.submit(page, prompt="login", login=login, password="any")
    browser.submit(page, prompt="consent")
    response = answer(connection, begun, browser)
    return asyncio.run(home.party.finish(response, ASKING)), response


def answer(connection: SsoConnection, begun: Started, browser: Browser) -> Response:
    """What came back, as the portal hands it on."""
    said = browser.brought_back
    return Response(
        connection=connection.id,
        state=said["state"],
        browser=begun.browser,
        code=said["code"],
        issuer=said.get("iss"),
    )


def test_oidc_provider_lets_people_in_and_sends_them_out(
    home: SsoWorld, node_provider: tuple[SsoConnection, queue.Queue[str]], browser: Browser
) -> None:
    connection, arrived = node_provider
    provider, keys = asyncio.run(home.party.look(connection.tenant, connection.id))
    assert provider.says_issuer
    assert provider.pushed is not None
    assert provider.back_channel_logout
    assert keys >= 1
    done, response = through_node(home, connection, browser, "ada")
    assert home.world.users.get(done.user).email == "ada@acme.example.org"
    assert {one.role for one in home.world.roles.of(done.user)} == {"member"}
    with pytest.raises(Unauthenticated):
        asyncio.run(home.party.finish(response, ASKING))
    page = browser.open(connection.issuer + "/session/end")
    browser.submit(page, pressed="logout")
    assert asyncio.run(home.party.log_out(connection.id, arrived.get(timeout=20))) == 1
    assert home.world.sessions.list(done.user) == []


@pytest.fixture(scope="module")
def canaille(home: SsoWorld) -> Iterator[SsoConnection]:
    port = free_port()
    with within(SYSTEM):
        issuer, domains = f"http://127.0.0.1:{port}", ("canaille.example.org",)
        tenant = home.world.tenant().id  # Canaille does not undo the form encoding of RFC 6749: a secret without spaces
        connection = home.connect(tenant, issuer, domains=domains, secret="a-secret-of-the-client")
    python = ROOT / ".venv/idp/bin/python"
    redirect = home.party.redirect_uri(connection.id)
    with started(python, HERE / "canaille_server.py", str(port), redirect, ready="ready"):
        yield connection


def through_canaille(home: SsoWorld, connection: SsoConnection, browser: Browser) -> Response:
    begun = asyncio.run(home.party.begin(connection.id))
    page = browser.open(begun.location)
    if "/login" in browser.at:
        page = browser.submit(page, login="ada")
        page = browser.submit(page, password="correct horse battery staple")
    if not browser.at.startswith(HOME):  # Canaille remembers what was agreed to
        browser.submit(page, answer="accept")
    return answer(connection, begun, browser)


def test_canaille_lets_people_in_whom_somebody_linked(
    home: SsoWorld, canaille: SsoConnection, browser: Browser
) -> None:
    """Canaille vouches for no address (it sends no `email_verified`): by itself it makes and links nothing."""
    with pytest.raises(Unauthenticated) as refusal:
        asyncio.run(home.party.finish(through_canaille(home, canaille, browser), ASKING))
    assert refusal.value.code == "sso-address"
    with within(SYSTEM):
        ada = home.world.person(canaille.tenant, "member")
        owner = person("owner", tenant=canaille.tenant)
        home.world.links.link(owner, canaille, ada.id, Subject("ada"))
    with httpx2.Client(timeout=20) as client:
        response = through_canaille(home, canaille, Browser(client))
    assert asyncio.run(home.party.finish(response, ASKING)).user == ada.id
    with pytest.raises(Unauthenticated):
        asyncio.run(home.party.finish(response, ASKING))
