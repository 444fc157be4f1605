"""A client that holds a key: its sessions are bound to it, and each request that shows one of them proves the key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.testclient import TestClient

from troth.identity.devices.holding import DeviceKey
from troth.identity.devices.shown import Scheme, Shown

SESSION = "troth_st_"
_COOKIE = "__Host-sid="


@dataclass
class Proving:
    """Makes proofs for the sessions that were opened through a client. `origin`: the address the server says it has.

    A request keeps the headers it was made with: `Authorization: Bearer` with such a session goes out as `DPoP`, and a
    session in the cookie gets its proof beside it. Say `dpop: none` in a request that is to have no proof.
    """

    origin: str
    key: DeviceKey = field(default_factory=DeviceKey)
    mine: set[str] = field(default_factory=set)

    def attach(self, client: TestClient) -> None:
        """From now on."""
        client.event_hooks = {"request": [self.prove], "response": [self.learn]}

    def proof(self, method: str, path: str, token: str | None = None) -> str:
        """A fresh proof for one request."""
        now = int(datetime.now(UTC).timestamp() * 1000)
        return self.key.proof(method, self.origin + path, now=now, token=token)

    def shown(self, token: str) -> Shown:
        """The same for asking `Sessions` beside the door."""
        return Shown(Scheme.DPOP, self.proof("GET", "/v1/me", token), "GET", "/v1/me")

    def prove(self, request: Any) -> None:
        """Add what a request needs."""
        if "dpop" in request.headers:
            if request.headers["dpop"] == "none":
                del request.headers["dpop"]
            return
        token = _shown(request)
        if token in self.mine:
            if "authorization" in request.headers:
                request.headers["authorization"] = f"DPoP {token}"
            request.headers["dpop"] = self.proof(request.method, request.url.path, token)
        elif token is None and "authorization" not in request.headers and request.url.path.startswith("/v1/sessions"):
            request.headers["dpop"] = self.proof(request.method, request.url.path)

    def learn(self, response: Any) -> None:
        """Take note of the sessions that are opened or replaced with a proof."""
        if "dpop" not in response.request.headers:
            return
        for cookie in response.headers.get_list("set-cookie"):  # a page that gave the session a new token
            if cookie.startswith(_COOKIE + SESSION):
                self.mine.add(cookie.removeprefix(_COOKIE).partition(";")[0])
        if response.headers.get("content-type", "").partition(";")[0] != "application/json":  # as lines of JSON are
            return
        response.read()
        said = response.json() if response.is_success else None
        token = said.get("token") if isinstance(said, dict) else None
        if isinstance(token, str) and token.startswith(SESSION):
            self.mine.add(token)


def _shown(request: Any) -> str | None:
    """The session that a request shows as a well-behaved client would: a bearer token, or a cookie to the portal."""
    if "authorization" in request.headers:
        scheme, _, token = request.headers["authorization"].partition(" ")
        return token if scheme == "Bearer" else None
    if request.url.path.startswith("/v1/"):
        return None
    return request.headers.get("cookie", "").partition(_COOKIE)[2].partition(";")[0] or None
