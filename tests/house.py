"""A whole installation behind its HTTPS door, in process: the real application, a real database, real keys."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from database_world import fresh_place
from proving import Proving
from troth.cli.installation import Installation, install
from troth.identity.bootstrap import OperatorCredentials
from troth.kernel.scope import NOBODY, SYSTEM, within
from troth.promises.authenticator import Authenticator, text_of
from troth.settings.load import Settings, load

PASSWORD = "correct horse battery staple 41"
ADDRESS = "https://localhost"
_FRESH_SECONDS = 10 * 60  # well below what the policies call fresh


@dataclass
class Person:
    """Somebody who signed in with two factors. `headers` carry the session, which the house's key answers for."""

    id: str
    tenant: str
    email: str
    secret: str
    headers: dict[str, str]


class _Outside:
    """The application as a server runs it: nothing of the test's scope comes in with a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with within(NOBODY):
            await self._app(scope, receive, send)


@dataclass
class House:
    """The installation and a client for it."""

    installation: Installation
    client: TestClient
    folder: Path
    operator_credentials: OperatorCredentials
    proving: Proving
    _operator: dict[str, str] = field(default_factory=dict)
    _operator_since: float = -math.inf

    @property
    def operator(self) -> dict[str, str]:
        """Headers of the operator. A house of many tests outlives a proof of identity: then they sign in anew."""
        if time.monotonic() - self._operator_since > _FRESH_SECONDS:
            made = self.operator_credentials
            wish = {"email": made.email, "password": made.password, "totp": pyotp.TOTP(made.totp_secret).now()}
            self._operator = _bearer(self.ok("POST", "/v1/sessions", **wish)["token"])
            self._operator_since = time.monotonic()
        return self._operator

    @property
    def system(self) -> Any:
        return self.installation.troth.system

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
        """One request; `body` as JSON or, for GET and DELETE, as the query."""
        sent = {"params": body} if method in ("GET", "DELETE") else {"json": body}
        return self.client.request(method, path, headers=headers or {}, **sent)

    def ok(self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> Any:
        """The same, which must succeed; gives the JSON."""
        response = self.call(method, path, headers, **body)
        assert response.is_success, (response.status_code, response.text)
        return response.json() if response.content and "json" in response.headers.get("content-type", "") else response

    def tenant(self, name: str, jurisdiction: str = "eu") -> Person:
        """A tenant with an owner who has settled in."""
        email = f"owner@{name}.example.org"
        wish = {"name": name, "jurisdiction": jurisdiction, "owner_email": email, "owner_name": f"Owner of {name}"}
        made = self.ok("POST", "/v1/tenants", self.operator, **wish)
        return self.settle(email, made["password"])

    def member(self, owner: Person, email: str, *roles: str, name: str = "A Member") -> Person:
        """A further person of the owner's tenant."""
        wish = {"email": email, "display_name": name, "roles": list(roles or ("member",))}
        return self.settle(email, self.ok("POST", "/v1/users", owner.headers, **wish)["password"])

    def settle(self, email: str, issued: str) -> Person:
        """First visit: second factor, own password."""
        first = _bearer(self.ok("POST", "/v1/sessions", email=email, password=issued)["token"])
        secret = self.ok("POST", "/v1/totp", first)["secret"]
        done = self.ok("POST", "/v1/totp/confirm", first, totp=pyotp.TOTP(secret).now())
        fresh = self.ok("POST", "/v1/password", _bearer(done["token"]), current=issued, new=PASSWORD)
        headers = _bearer(fresh["token"])
        me = self.ok("GET", "/v1/me", headers)
        return Person(me["id"], me["tenant"], email, secret, headers)

    def key(self, person: Person, *scopes: str) -> str:
        """An API key of this person."""
        made = self.ok("POST", "/v1/keys", person.headers, name="test", scopes=list(scopes), days=1)
        return str(made["token"])

    def key_headers(self, person: Person, *scopes: str) -> dict[str, str]:
        """Headers with a fresh API key."""
        return _bearer(self.key(person, *scopes))

    def passkey(self, person: Person, name: str = "phone") -> Authenticator:
        """A device with a passkey of this person, by which their session was proved; it goes on under a new token."""
        device = Authenticator(self.proving.origin)
        made = device.create(self.ok("POST", "/v1/passkeys/options", person.headers)["options"])
        added = self.ok("POST", "/v1/passkeys", person.headers, name=name, **text_of(made))
        person.headers.update(_bearer(added["token"]))
        path = "/v1/sessions/current/step-up/passkey"
        answer = device.get(self.ok("POST", f"{path}/options", person.headers)["options"])
        person.headers.update(_bearer(self.ok("POST", path, person.headers, **text_of(answer))["token"]))
        return device

    def picture(self, person: Person, prompt: str = "a harbour at dawn") -> dict[str, Any]:
        """A generated picture, too small for a watermark, which takes a second: the answer's JSON and the receipt."""
        headers = self.key_headers(person, "generate", "own-data")
        wish = {"model": "troth-studio-1", "prompt": prompt, "size": "96x96", "response_format": "b64_json"}
        response = self.call("POST", "/v1/images/generations", headers, **wish)
        assert response.status_code == 200, response.text
        receipt = self.ok("GET", f"/v1/receipts/{response.headers['x-request-id']}", person.headers)
        return {"answer": response.json(), "receipt": receipt, "object": receipt["objects"][0]}

    def files(self) -> list[Path]:
        """Every file the installation ever wrote, keys left aside."""
        return [path for path in (self.folder / "data").rglob("*") if path.is_file()]

    def contents(self) -> Iterator[bytes]:
        """What stands in those files; one that goes meanwhile, such as a tile that grew, is passed over."""
        for path in self.files():
            with suppress(FileNotFoundError):
                yield path.read_bytes()


@contextmanager
def house(folder: Path, **sections: Any) -> Iterator[House]:
    """A running installation in `folder` with its first operator signed in.

    What comes in through the door has the scope of its caller; what a test does beside the door has the system's.
    """
    with within(SYSTEM), fresh_place(os.environ.get("TROTH_TEST_HOUSE", "sqlite"), folder, alone=True) as place:
        settings = house_settings(folder, **sections | {"data": place.settings | sections.get("data", {})})
        yield from _running(install(settings, checks=False), folder)


def _running(installation: Installation, folder: Path) -> Iterator[House]:
    with TestClient(_Outside(installation.app), base_url=ADDRESS) as client:
        made = installation.troth.system.identity.bootstrap.operator("operator@troth.example.org", "eu")
        built = House(installation, client, folder, made, _proving(installation, client))
        assert built.operator
        yield built


def _proving(installation: Installation, client: TestClient) -> Proving:
    """Sessions that are opened through the client are bound to a key, which answers for them by itself."""
    proving = Proving(installation.troth.system.identity.passkeys.party.origins[0])
    proving.attach(client)
    return proving


def house_settings(folder: Path, **sections: Any) -> Settings:
    """Settings below `folder`; rate limits out of the way."""
    server = {"requests_per_minute": 100_000, "anonymous_per_minute": 100_000, **sections.pop("server", {})}
    data = {"folder": folder / "data", "keys": folder / "keys", **sections.pop("data", {})}
    return load(data=data, server=server, **sections)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
