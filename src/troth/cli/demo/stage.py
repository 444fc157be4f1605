"""The running server of the demonstration, and clients that speak to it over TLS 1.3."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp

from troth.cli import kept
from troth.cli.client import Client
from troth.cli.demo.token import Token, new_token
from troth.identity.devices.holding import DeviceKey
from troth.identity.sessions import TOKEN_PREFIX
from troth.kernel.errors import Unavailable

_READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """Folders and address of one demonstration."""

    root: Path
    port: int
    token: Token | None
    key: DeviceKey = field(default_factory=DeviceKey, repr=False)
    """Sessions that are opened here are bound to it."""

    @property
    def data(self) -> Path:
        """What the server keeps."""
        return self.root / "data"

    @property
    def keys(self) -> Path:
        """The keys, apart from the data."""
        return self.root / "keys"

    @property
    def shown(self) -> Path:
        """What the demonstration hands to you: pictures, the data set, certificates."""
        return self.root / "look-here"

    @property
    def journal(self) -> Path:
        """What the server logged."""
        return self.root / "server.log"

    @property
    def address(self) -> str:
        """The server's address."""
        return f"https://localhost:{self.port}"

    @property
    def authority(self) -> str:
        """The certificate authority that clients trust."""
        return str(self.keys / "tls" / "authority.pem")

    def client(self, token: str | None = None) -> Client:
        """An HTTPS client with a credential; a session is shown with proofs by the stage's key."""
        bound = token is None or token.startswith(TOKEN_PREFIX)
        return Client(self.address, token, self.authority, holder=self.key if bound else None)

    def keep(self, session: str) -> None:
        """Keep a session for commands that run in this process's environment, as `troth session create` does."""
        kept.keep(self.address, self.client(session).to_keep(session, None))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in with two factors."""

    id: str
    tenant: str
    session: str


def fresh_stage(root: Path) -> Stage:
    """An empty stage; what an earlier demonstration left is removed."""
    for name in ("data", "keys", "look-here", "backup", "hsm", "server.log"):
        place = root / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    stage = Stage(root, port, new_token(root / "hsm"))
    stage.shown.mkdir(parents=True, exist_ok=True)
    return stage


@contextmanager
def running(stage: Stage) -> Iterator[dict[str, str]]:
    """`troth serve` in a process of its own; gives the first operator's credentials as it printed them."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    environment |= {
        "TROTH_DATA__FOLDER": str(stage.data),
        "TROTH_DATA__KEYS": str(stage.keys),
        "TROTH_SERVER__PORT": str(stage.port),
        "TROTH_CONFIG": os.devnull,
        "TROTH_PROMISES__FIRST_AFTER_SECONDS": "3600",  # the last chapter asks for all checks; one round is enough
    }
    environment |= stage.token.environment if stage.token else {}
    program = [sys.executable, "-c", "from troth.cli.main import main; main()", "serve", "--show-credentials"]
    with stage.journal.open("wb") as journal:
        server = subprocess.Popen(  # noqa: S603 - our own program
            program, env=environment, stdout=subprocess.PIPE, stderr=journal, text=True
        )
        try:
            yield _first_words(server)
        finally:
            server.terminate()
            server.wait(30)
            if server.stdout:
                server.stdout.close()


def _first_words(server: subprocess.Popen[str]) -> dict[str, str]:
    """Read what `serve` prints until it answers requests."""
    said: dict[str, str] = {}
    assert server.stdout is not None
    for line in server.stdout:
        name, _, value = line.strip().partition("  ")
        said[name] = value.strip()
        if name.startswith("certificate authority"):
            return said
    raise Unavailable("The server did not start; see server.log in the demonstration's folder.", code="no-server")


def sign_in(stage: Stage, email: str, password: str, secret: str) -> str:
    """A session with two factors."""
    code = pyotp.TOTP(secret).now()
    made = stage.client().call("POST", "/v1/sessions", {"email": email, "password": password, "totp": code}).json()
    return str(made["token"])


def settle_in(stage: Stage, email: str, issued: str, password: str) -> Person:
    """First visit: sign in with the issued password, set up the second factor, choose a password of one's own."""
    made = stage.client().call("POST", "/v1/sessions", {"email": email, "password": issued}).json()
    first = stage.client(made["token"])
    secret = first.call("POST", "/v1/totp", {}).json()["secret"]
    done = first.call("POST", "/v1/totp/confirm", {"totp": pyotp.TOTP(secret).now()}).json()
    change = {"current": issued, "new": password}
    session = str(stage.client(done["token"]).call("POST", "/v1/password", change).json()["token"])
    me: dict[str, Any] = stage.client(session).call("GET", "/v1/me").json()
    return Person(str(me["id"]), str(me["tenant"]), session)


def api_key(stage: Stage, person: Person, *scopes: str) -> str:
    """An API key of this person."""
    wish = {"name": "demonstration", "scopes": list(scopes), "days": 1}
    return str(stage.client(person.session).call("POST", "/v1/keys", wish).json()["token"])
