"""An installation behind its two real doors in this process, and devices that keep their keys.

In this process, so that tests can sign with the installation's own authority what it would never sign.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from database_world import fresh_place
from house import PASSWORD, house_settings
from troth.cli.demo.stage import Person, Stage, settle_in
from troth.cli.installation import Installation, install, operator
from troth.cli.mutual import mutual_door
from troth.http.serve import certificate_files, listen, server
from troth.identity.certificates.authorities import Authority
from troth.identity.certificates.issuing import fresh_key, leaf_certificate, pem_of
from troth.identity.certificates.names import SpiffeName
from troth.identity.certificates.parts import Certificates
from troth.identity.certificates.reading import read_shown
from troth.identity.certificates.requesting import PrivateKey, private_pem, request_by
from troth.identity.devices.holding import DeviceKey
from troth.identity.devices.shown import DPOP
from troth.identity.sessions import Proof
from troth.kernel.caller import Device as Bound
from troth.kernel.periodic import Periodic
from troth.kernel.scope import SYSTEM, within
from troth.promises.system import Listener
from troth.settings.load import Settings


@dataclass(frozen=True)
class Shown:
    """A certificate and its key in files, as a TLS client wants them."""

    certificate: str
    files: tuple[Path, Path]


@dataclass(frozen=True)
class Device:
    """An enrolled device of somebody."""

    id: str
    key: PrivateKey
    shown: Shown


@dataclass
class Answer:
    """Status, JSON and code of an answer; status 0 when there was none: the handshake failed."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return str((self.body or {}).get("code", ""))


@dataclass
class Town:
    """Both doors, and who lives behind them."""

    installation: Installation
    stage: Stage
    second: int
    root: Path
    learning: list[Periodic]  # not started: `learn` does what it would do
    operator: Person
    made: int = 0
    machines: dict[str, Device] = field(default_factory=dict)

    @property
    def parts(self) -> Certificates:
        return self.installation.troth.system.identity.certificates

    def ask(
        self,
        method: str,
        path: str,
        token: str = "",
        shown: Shown | None = None,
        *,
        first: bool = False,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> Answer:
        """One request at the second door, or at the `first`, over a connection of its own."""
        with self.line(shown, first=first) as line:
            return asked(line, method, path, token, headers, body)

    @contextmanager
    def line(self, shown: Shown | None = None, *, first: bool = False) -> Iterator[http.client.HTTPSConnection]:
        """A connection that stays."""
        context = ssl.create_default_context(cafile=self.stage.authority)
        if shown is not None:
            context.load_cert_chain(*shown.files)
        port = self.stage.port if first else self.second
        line = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
        try:
            yield line
        finally:
            line.close()

    def act(self, who: Person, method: str, path: str, **body: Any) -> Answer:
        """One request of somebody at their own machine, which has a certificate: nobody is bound better than that."""
        if who.id not in self.machines:
            self.machines[who.id] = self.device(who, "machine")
        return self.ask(method, path, self.session(who), self.machines[who.id].shown, **body)

    def tenant(self, name: str) -> Person:
        """A tenant with an owner who has settled in."""
        email = f"owner@{name}.example.org"
        wish = {"name": name, "jurisdiction": "eu", "owner_email": email, "owner_name": "Owner"}
        return self._settled(email, self.act(self.operator, "POST", "/v1/tenants", **wish))

    def member(self, owner: Person, email: str) -> Person:
        """A further person of the owner's tenant."""
        wish = {"email": email, "display_name": "A Member", "roles": ["member"]}
        return self._settled(email, self.act(owner, "POST", "/v1/users", **wish))

    def _settled(self, email: str, made: Answer) -> Person:
        assert made.status == 201, made
        return settle_in(self.stage, email, made.body["password"], PASSWORD)

    def session(self, person: Person) -> str:
        """Another session of theirs with two factors, as if just signed in."""
        with within(SYSTEM):
            sessions = self.installation.troth.system.identity.sessions
            return str(sessions.open(person.id, Proof("password+totp", 2), "loopback").token)

    def bound_session(self, person: Person) -> tuple[str, DeviceKey]:
        """The same, bound to a key."""
        key = DeviceKey()
        with within(SYSTEM):
            sessions = self.installation.troth.system.identity.sessions
            opened = sessions.open(person.id, Proof("password+totp", 2), "loopback")
            sessions.bind_to(opened.id, Bound(DPOP, key.thumbprint))
        return opened.token, key

    def device(self, person: Person, name: str = "laptop") -> Device:
        """Enrolled as anybody would, at the first door, in a session that is bound to a key."""
        key, (token, holder) = fresh_key(), self.bound_session(person)
        wish = {"name": name, "request": request_by(key)}
        url = f"https://localhost:{self.stage.port}/v1/devices"
        proof = holder.proof("POST", url, now=int(datetime.now(UTC).timestamp() * 1000), token=token)
        headers = {"authorization": f"DPoP {token}", "dpop": proof}
        made = self.ask("POST", "/v1/devices", first=True, headers=headers, **wish)
        assert made.status == 201, made
        return Device(made.body["holder"], key, self.kept(made.body["certificate"], key))

    def kept(self, certificate: str, key: PrivateKey) -> Shown:
        """In files."""
        self.made += 1
        files = self.root / f"{self.made}.pem", self.root / f"{self.made}.key"
        files[0].write_text(certificate)
        files[1].write_bytes(private_pem(key))
        return Shown(certificate, files)

    def signed(self, device: Device, *, at: datetime | None = None, **changed: str) -> Shown:
        """A certificate for a device's key by the real authority, made at another time or for another name."""
        authority = self.parts.authorities.trusted()[-1]
        name: SpiffeName = replace(read_shown(device.shown.certificate).name, **changed)
        key: Any = device.key
        made = leaf_certificate(name, key.public_key(), issuer_of(authority), self.authority_key(), at or now())
        return self.kept(pem_of(made), device.key)

    def learn(self) -> None:
        """What the second door does every ten minutes: trust each next authority."""
        with within(SYSTEM):
            for one in self.learning:
                one.work()

    def authority_key(self) -> Any:
        """The key of the newest authority."""
        with within(SYSTEM):
            return self.parts.authorities._key(self.parts.authorities.trusted()[-1])


def asked(
    line: http.client.HTTPSConnection,
    method: str,
    path: str,
    token: str = "",
    headers: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
) -> Answer:
    """One request on a connection."""
    sent = {"content-type": "application/json", **(headers or {})}
    if token:
        sent["authorization"] = f"Bearer {token}"
    try:
        line.request(method, path, json.dumps(body or {}) if method not in ("GET", "DELETE") else None, sent)
        response = line.getresponse()
        content = response.read()
    except OSError:
        return Answer(0)
    told = json.loads(content) if "json" in response.headers.get_content_type() else None
    return Answer(response.status, told, dict(response.headers.items()))


def issuer_of(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.certificate.encode())


def now() -> datetime:
    return datetime.now(UTC)


def long_ago() -> datetime:
    return now() - timedelta(hours=3)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def town(root: Path) -> Iterator[Town]:
    """Both doors open until the block ends."""
    with fresh_place(os.environ.get("TROTH_TEST_HOUSE", "sqlite"), root, alone=True) as place:
        stage, second = Stage(root, _free_port(), None), _free_port()
        doors = {"port": stage.port, "mtls_port": second}
        yield from _open(stage, house_settings(root, server=doors, data=place.settings))


def _open(stage: Stage, settings: Settings) -> Iterator[Town]:
    with within(SYSTEM):
        installation = install(settings, checks=False)
        installation.troth.start()
        made = operator(installation, "operator@troth.example.org")
        system = installation.troth.system
        authority, certificate, private_key = certificate_files(settings.data, settings.server)
        mutual, learning = mutual_door(system, certificate, private_key)
    assert mutual is not None
    second = int(mutual.listener.getsockname()[1])
    system.door.listener = Listener("127.0.0.1", stage.port, "localhost", authority, certificate, private_key, second)
    ready = threading.Event()
    serving = server(installation.app, certificate, private_key, ready.set, connections_per_address=64, mutual=mutual)
    listener = listen(settings.server)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert ready.wait(60)
    assert made is not None
    try:
        yield Town(installation, stage, second, stage.root, learning, Person(made.user, "", ""))
    finally:
        serving.should_exit = True
        thread.join(30)
