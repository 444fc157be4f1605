"""A vendor's address that shows a certificate nobody vouches for: it must not get one byte of a request (VEN-04)."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from troth.gateway.vendors import channel as channel_module
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.channel import Channel
from troth.kernel.errors import VendorFailed

SECRET = b"jane.doe@leak-test.com"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


class Authority:
    """A certificate authority of our own making, and what it signs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Nobody's authority")])
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = self._builder(self._name, self._key, days=1)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        root = builder.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.root = folder / "root.pem"
        self.root.write_bytes(root.public_bytes(serialization.Encoding.PEM))

    def server(self, address: str, days: int = 1) -> ssl.SSLContext:
        """TLS 1.3 with a certificate for an IP address."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vendor")])
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = self._builder(name, key, days).add_extension(alternative, critical=False)
        leaf = builder.add_extension(signer, critical=False).sign(self._key, hashes.SHA256())
        chain = self._folder / "leaf.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(chain)
        return context

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=9))
        return builder.not_valid_after(now + datetime.timedelta(days=days)).add_extension(identifier, critical=False)


def post(context: ssl.SSLContext, *, waived: bool = False) -> tuple[str, bytes]:
    """How a request to that server ended, and every byte that arrived behind its TLS."""
    received = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        while SECRET not in received and (piece := await reader.read(4096)):
            received += piece
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    async def go() -> str:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            channel = Channel(f"https://127.0.0.1:{port}/v1", "sk", Limits(5), tls12=waived)
            try:
                return (await channel.post("/x", lambda: {"data": SECRET}, bytes)).decode()
            except VendorFailed as error:
                return error.code
            finally:
                await channel.close()

    ended = asyncio.run(go())
    return ended, received


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "_CONNECT_PAUSE", 0.01)


def test_an_authority_that_nobody_trusts(tmp_path: Path) -> None:
    assert post(Authority(tmp_path).server("127.0.0.1")) == ("vendor-unreachable", b"")


def test_the_same_server_is_served_once_its_authority_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the refusals here are for the certificate and nothing else."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    ended, received = post(authority.server("127.0.0.1"))
    assert ended == "{}"
    assert SECRET in received


@pytest.mark.parametrize(("address", "days"), [("127.0.0.2", 1), ("127.0.0.1", -1)])
def test_a_trusted_authority_for_another_address_or_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, days: int
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    assert post(authority.server(address, days)) == ("vendor-unreachable", b"")


def test_a_vendor_that_speaks_tls_1_2_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a dated waiver it gets nothing; with one it is served."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    context = authority.server("127.0.0.1")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert post(context) == ("vendor-unreachable", b"")
    ended, received = post(context, waived=True)
    assert ended == "{}"
    assert SECRET in received
