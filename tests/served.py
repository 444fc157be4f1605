"""A whole installation as a stranger meets it: the `troth serve` process on loopback, spoken to over TLS 1.3."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx2
from openai import AsyncOpenAI, OpenAI

from troth.cli.demo.stage import Person, Stage, api_key, fresh_stage, running, settle_in, sign_in

PASSWORD = "correct horse battery staple 43"


@dataclass
class Served:
    """A running server with its operator signed in."""

    stage: Stage
    operator: str

    def tenant(self, name: str, display_name: str = "Owner") -> Person:
        """A tenant with an owner who has settled in."""
        email = f"owner@{name}.example.org"
        wish = {"name": name, "jurisdiction": "eu", "owner_email": email, "owner_name": display_name}
        made = self.stage.client(self.operator).call("POST", "/v1/tenants", wish).json()
        return settle_in(self.stage, email, made["password"], PASSWORD)

    def member(self, owner: Person, email: str, *, name: str = "A Member", password: str = PASSWORD) -> Person:
        """A further person of the owner's tenant."""
        wish = {"email": email, "display_name": name, "roles": ["member"]}
        made = self.stage.client(owner.session).call("POST", "/v1/users", wish).json()
        return settle_in(self.stage, email, made["password"], password)

    def key(self, person: Person, *scopes: str) -> str:
        """An API key."""
        return api_key(self.stage, person, *(scopes or ("generate", "own-data", "own-data:write")))

    def openai(self, key: str) -> OpenAI:
        """The official client: base_url, api_key, and the authority to trust."""
        client = httpx2.Client(verify=self.context())
        return OpenAI(base_url=f"{self.stage.address}/v1", api_key=key, http_client=client, max_retries=0)

    def openai_async(self, key: str) -> AsyncOpenAI:
        """The same for event loops."""
        client = httpx2.AsyncClient(verify=self.context())
        return AsyncOpenAI(base_url=f"{self.stage.address}/v1", api_key=key, http_client=client, max_retries=0)

    def context(self) -> ssl.SSLContext:
        """TLS 1.3 with the installation's own authority."""
        context = ssl.create_default_context(cafile=self.stage.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    @contextmanager
    def connection(self) -> Iterator[ssl.SSLSocket]:
        """A bare TLS connection, for requests that no well-behaved client would send."""
        with (
            socket.create_connection(("127.0.0.1", self.stage.port), timeout=20) as plain,
            self.context().wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            yield secured

    def raw(self, content: bytes) -> tuple[int, bytes]:
        """Status and body of the first answer to these bytes."""
        with self.connection() as secured:
            with contextlib.suppress(OSError):  # refused before everything was sent; the answer is there to read
                secured.sendall(content)
            return answer(secured)


def answer(secured: ssl.SSLSocket) -> tuple[int, bytes]:
    """The next answer on a connection."""
    with contextlib.closing(HTTPResponse(secured)) as response:
        response.begin()
        return response.status, response.read()


@contextmanager
def served(root: Path) -> Iterator[Served]:
    """A server on a fresh stage."""
    stage = fresh_stage(root)
    (root / "no.toml").write_text("[promises]\nfirst_after_seconds = 86400\n")  # they would take a core for a while
    with running(stage) as first:
        yield Served(stage, sign_in(stage, first["e-mail"], first["password"], first["TOTP secret"]))


def receipt(server: Served, person: Person, request: Any) -> dict[str, Any]:
    """What a vendor got for a request."""
    found: dict[str, Any] = server.stage.client(person.session).call("GET", f"/v1/receipts/{request}").json()
    return found
