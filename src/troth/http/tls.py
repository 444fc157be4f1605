"""TLS 1.3 only, and a local authority for installations without a certificate of their own (promise CRY-01)."""

from __future__ import annotations

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 397  # CA/Browser Forum baseline requirements, section 6.3.2
RENEW_BEFORE = timedelta(days=30)


def server_context(certificate: Path, private_key: Path) -> ssl.SSLContext:
    """A server context that refuses anything below TLS 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, private_key)
    return context


def mutual_context(certificate: Path, private_key: Path, authorities: str) -> ssl.SSLContext:
    """The same, and a client must show a certificate that one of these authorities (PEM) signed for clients.

    No session is resumed: a resumed one would bring back a certificate that may be over by now.
    """
    context = server_context(certificate, private_key)
    context.load_verify_locations(cadata=authorities)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0
    return context


def local_certificate(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """(authority, certificate, private key) files in `folder`; made, or renewed when close to their end."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, leaf, key = folder / "authority.pem", folder / f"{name}.pem", folder / f"{name}.key"
    if not authority.exists():
        _make_authority(folder)
    if not leaf.exists() or not key.exists() or _ends_soon(leaf):
        _make_leaf(folder, name)
    return authority, leaf, key


def _make_authority(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Troth local authority")])
    builder = _dated(x509.CertificateBuilder(), AUTHORITY_DAYS).subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    _write(folder / "authority.key", _pem(key))
    _write(folder / "authority.pem", builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _make_leaf(folder: Path, name: str) -> None:
    authority = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
    signer = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(name), x509.DNSName("localhost")]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    builder = _dated(x509.CertificateBuilder(), CERTIFICATE_DAYS)
    builder = builder.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    builder = builder.issuer_name(authority.subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(identifier, critical=False)
    leaf = builder.sign(signer, hashes.SHA256())
    chain = leaf.public_bytes(serialization.Encoding.PEM) + authority.public_bytes(serialization.Encoding.PEM)
    _write(folder / f"{name}.key", _pem(key))
    _write(folder / f"{name}.pem", chain)


def _dated(builder: x509.CertificateBuilder, days: int) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(days=days))


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _ends_soon(leaf: Path) -> bool:
    certificate = x509.load_pem_x509_certificate(leaf.read_bytes())
    return certificate.not_valid_after_utc < datetime.now(UTC) + RENEW_BEFORE


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
