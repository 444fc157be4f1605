"""Roots in a key service: what services do wrong, and what a snapshot of one brings back."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from root_world import Bao, Provider, bao, free_port, secret
from troth.kernel.errors import Gone, Unavailable
from troth.keys.roots.binding import Binding
from troth.keys.roots.openbao import OpenBaoRoot
from troth.keys.roots.transit import Rejected, ServicePlace, Transit

NAME = "eu-00000001-0011223344556677"
POLICY = Path(__file__).parents[4] / "docs" / "how-to" / "keys-in-openbao.md"


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    return Provider("openbao", tmp_path / "provider")


def on(folder: Path, place: ServicePlace, domain: str = "") -> OpenBaoRoot:
    """A domain of this folder's own, unless one is named: one server keeps the keys of all tests."""
    domain = domain or f"d{zlib.crc32(str(folder).encode()):08x}"
    return OpenBaoRoot(place, Binding(folder / "bound" / f"{domain}.mark"), domain)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Unavailable) as caught:
        act()
    assert bao().token not in repr(caught.value)
    assert "127.0.0.1" not in caught.value.advice
    return caught.value.code


def test_a_token_that_does_not_hold_or_may_not(provider: Provider) -> None:
    root = provider.root()
    root.create(NAME)
    secret(provider.place.token_file, "s.wrong")
    assert refused(lambda: root.seal(NAME, b"key", b"")) == "openbao-denied"
    assert refused(lambda: root.destroy(NAME)) == "openbao-denied"
    assert refused(root.present) == "openbao-denied"
    secret(provider.place.token_file, bao().token)  # as an agent renews it
    assert root.present() == [NAME]


def test_a_token_file_that_is_open_to_others_is_refused(provider: Provider) -> None:
    provider.place.token_file.chmod(0o640)
    assert refused(provider.root().present) == "root-credential-open"


def test_the_policy_of_the_manual_is_enough_and_no_more(provider: Provider) -> None:
    policy = POLICY.read_text().split("```hcl\n")[1].split("```")[0]
    bao().ask("PUT", "sys/policies/acl/troth", policy=policy)
    made = bao().ask("POST", "auth/token/create", policies=["troth"], no_default_policy=True)
    secret(provider.place.token_file, made["auth"]["client_token"])
    root = provider.root()
    root.create(NAME)
    assert root.open(NAME, root.seal(NAME, b"key", b"a"), b"a") == b"key"
    assert root.present() == [NAME]
    assert not root.gives_out(NAME)
    root.destroy(NAME)
    with pytest.raises(Gone):
        root.seal(NAME, b"key", b"a")
    other = Bao(bao().folder, bao().port, made["auth"]["client_token"])
    assert other.ask("POST", "transit/keys/strange") is None
    assert other.ask("GET", "sys/mounts") is None


def test_a_mount_that_is_not_there_is_not_an_empty_one(provider: Provider) -> None:
    root = on(provider.folder, replace(provider.place, mount="elsewhere"))
    for act in (root.present, lambda: root.destroy(NAME), lambda: root.create(NAME)):
        assert refused(act) == "openbao-mount"


def test_an_engine_that_makes_keys_by_chance_is_refused(provider: Provider) -> None:
    bao().ask("POST", "transit/config/keys", disable_upsert=False)
    assert refused(lambda: provider.root().create(NAME)) == "openbao-upsert"
    bao().ask("POST", "transit/config/keys", disable_upsert=True)
    provider.root().create(NAME)


def test_a_sealed_service(provider: Provider) -> None:
    root = provider.root()
    root.create(NAME)
    bao().ask("PUT", "sys/seal")
    assert refused(lambda: root.seal(NAME, b"key", b"")) == "openbao-sealed"
    assert refused(lambda: root.destroy(NAME)) == "openbao-sealed"
    assert refused(provider.root().present) == "openbao-sealed"
    bao().unseal()
    assert root.present() == [NAME]


def test_another_service_at_the_address_is_not_the_old_one(provider: Provider, tmp_path: Path) -> None:
    root = on(provider.folder, provider.place)
    root.create(NAME)
    other = Bao(tmp_path / "other")
    other.install()
    try:
        root._transit._place = other.place(tmp_path)
        assert refused(lambda: root.destroy(NAME)) == "root-provider-changed"
        assert refused(lambda: root.seal(NAME, b"key", b"")) == "root-provider-changed"
        assert refused(root.present) == "root-provider-changed"
    finally:
        other.stop()


def test_a_snapshot_of_the_storage_brings_a_destroyed_root_back(tmp_path: Path) -> None:
    """Why the class is A1 and the evidence names snapshots: this is measured, not feared."""
    server = Bao(tmp_path / "server")
    server.install()
    root = on(tmp_path, server.place(tmp_path))
    root.create(NAME)
    sealed = root.seal(NAME, b"key", b"")
    server.kill()
    shutil.copytree(server.folder / "raft", tmp_path / "snapshot")
    server.start()
    assert "snapshots-restore-it" in root.destroy(NAME)
    with pytest.raises(Gone):
        root.open(NAME, sealed, b"")
    server.kill()
    shutil.rmtree(server.folder / "raft")
    (tmp_path / "snapshot").rename(server.folder / "raft")
    server.start()
    try:
        assert root.open(NAME, sealed, b"") == b"key"
    finally:
        server.stop()


def test_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    certificate, key = _certificate(tmp_path)
    listener = f'address = "127.0.0.1:{port}"\n tls_cert_file = "{certificate}"\n tls_key_file = "{key}"'
    server = Bao(tmp_path / "server", extra=f'listener "tcp" {{ {listener} }}')
    server.install()
    try:
        place = replace(server.place(tmp_path), address=f"https://127.0.0.1:{port}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))  # the environment has no say
        monkeypatch.setenv("VAULT_SKIP_VERIFY", "true")
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
        assert refused(on(tmp_path, place).present) == "openbao-tls"
        assert on(tmp_path, replace(place, authority=certificate)).present() == []
        wrong = replace(place, address=f"https://localhost:{port}", authority=certificate)
        assert refused(on(tmp_path, wrong).present) == "openbao-tls"
    finally:
        server.stop()


class _Answers(BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Location", "http://127.0.0.1:9/v1/elsewhere")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def answering() -> Iterator[Callable[[int, bytes], int]]:
    """A server that answers everything with one status and body; gives its port."""
    kind = type("Answers", (_Answers,), {f"do_{one}": _Answers.do_GET for one in ("POST", "PUT", "LIST", "DELETE")})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def answer(status: int, body: bytes) -> int:
        kind.status, kind.body = status, body  # type: ignore[attr-defined]
        return int(server.server_address[1])

    yield answer
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (307, b"", "openbao-standby"),
        (429, b"{}", "openbao-standby"),  # what sys/health says of a standby
        (473, b"{}", "openbao-standby"),
        (501, b"{}", "openbao-sealed"),
        (503, b'{"errors":["Vault is sealed"]}', "openbao-sealed"),
        (500, b'{"errors":["internal"]}', "openbao-failed"),
        (502, b"<html>", "openbao-failed"),
        (200, b"<html>", "openbao-failed"),
        (200, b"[]", "openbao-failed"),
        (200, b'{"data": 5}', "openbao-sealed"),
        (200, b'{"cluster_id": "x", "data": 5}', "openbao-failed"),
        (200, b'{"cluster_id": "x", "data": {"disable_upsert": true, "keys": 5, "ciphertext": 5}}', "openbao-failed"),
        (204, b"", "openbao-failed"),
    ],
)
def test_nonsense_from_the_service_is_refused_in_words(
    tmp_path: Path, answering: Callable[[int, bytes], int], status: int, body: bytes, code: str
) -> None:
    place = ServicePlace(
        f"http://127.0.0.1:{answering(status, body)}", "transit", secret(tmp_path / "t", "s.t"), None, None, 2.0
    )
    root = on(tmp_path, place)
    assert refused(root.present) == code
    root._met = True
    for act in (root.present, lambda: root.seal(NAME, b"key", b""), lambda: root.destroy(NAME)):
        assert refused(act).startswith(("openbao-", "root-", "key-not-destroyed"))


def test_a_service_that_says_nothing_is_late(tmp_path: Path) -> None:
    import socket  # noqa: PLC0415

    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = ServicePlace(
            f"http://127.0.0.1:{silent.getsockname()[1]}", "transit", secret(tmp_path / "t", "s.t"), None, None, 0.2
        )
        assert refused(on(tmp_path, place).present) == "openbao-offline"


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own authority for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "key service")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "k.pem").write_bytes(private)
    return folder / "c.pem", folder / "k.pem"


def _reject(*_: object) -> Any:
    raise Rejected


def test_what_the_service_should_take_and_does_not(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    root = on(provider.folder, provider.place)
    root.create(NAME)
    monkeypatch.setattr(root._transit, "encrypt", _reject)
    monkeypatch.setattr(root._transit, "delete", _reject)
    assert refused(lambda: root.seal(NAME, b"key", b"")) == "openbao-refused"
    assert refused(lambda: root.destroy(NAME)) == "openbao-refused"
    monkeypatch.setattr(root._transit, "delete", lambda _name: None)
    assert refused(lambda: root.destroy(NAME)) == "key-not-destroyed"


def test_an_export_that_could_not_be_tried_proves_nothing(provider: Provider) -> None:
    away = Transit(replace(provider.place, address="http://127.0.0.1:9"))
    assert refused(lambda: away.exports("troth-x")) == "openbao-offline"
