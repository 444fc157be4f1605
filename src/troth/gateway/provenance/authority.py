"""The local certificate authority behind content credentials.

C2PA 2.2 section 14.5.1: an end-entity certificate for claim signing has a subject and authority key identifier, key
usage digitalSignature and an extended key usage of the C2PA list. The authority is local: it gives evidence of
tampering, not a name on the public C2PA trust list.
"""

from __future__ import annotations

import os
import secrets
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from troth.kernel.clock import Clock
from troth.kernel.errors import Unavailable
from troth.storage.durable import sync_folder

C2PA_CLAIM_SIGNING: Final = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""Extended key usage c2pa-kp-claimSigning (C2PA 2.2, 14.5.1.1)."""

# Without a time stamp authority a reader judges a signature by its own clock, so a picture stays verifiable only while
# the leaf does: ten years, not the usual one.
LEAF_DAYS: Final = 3650
ROOT_DAYS: Final = 7300

_FILES: Final = ("root.pem", "root.key", "leaf.pem", "leaf.key")


class _Issued(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class LocalAuthority:
    """A root and one signing leaf (ES256) in a folder; created whole on first use, read afterwards."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Opens the authority in `folder`, creating it when absent. Raises `Unavailable` when it cannot be used."""
        try:
            if not folder.exists():
                _create(folder, clock.now())
            root_pem, leaf_pem = (folder / "root.pem").read_bytes(), (folder / "leaf.pem").read_bytes()
            key = serialization.load_pem_private_key((folder / "leaf.key").read_bytes(), password=None)
            leaf = x509.load_pem_x509_certificate(leaf_pem)
            leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(root_pem))
        except (OSError, ValueError, TypeError, InvalidSignature) as error:
            raise _unusable() from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != leaf.public_key():
            raise _unusable()
        if leaf.not_valid_after_utc <= clock.now():
            raise Unavailable(
                "The certificate for content credentials has expired: move its folder away and start again.",
                code="credentials-expired",
            )
        self._key = key
        self.anchor = root_pem.decode("ascii")
        self.chain = leaf_pem.decode("ascii") + self.anchor

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 with SHA-256, 64 bytes r || s (RFC 9053 section 2.1)."""
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _unusable() -> Unavailable:
    return Unavailable(
        "The keys for content credentials cannot be read: check the folder's owner and restore it from the backup.",
        code="credentials-unusable",
    )


def _create(folder: Path, now: datetime) -> None:
    root = _issue("Troth content credentials root", ROOT_DAYS, now, issuer=None)
    leaf = _issue("Troth content credentials", LEAF_DAYS, now, issuer=root)
    contents = (_certificate(root), _private(root), _certificate(leaf), _private(leaf))
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
    fresh.mkdir(mode=0o700)
    for name, content in zip(_FILES, contents, strict=True):
        _write(fresh / name, content)
    sync_folder(fresh)
    try:
        fresh.rename(folder)  # all four files or none; a non-empty folder means that another process was first
    except OSError:
        shutil.rmtree(fresh)
        if not folder.exists():
            raise
    sync_folder(folder.parent)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _issue(common_name: str, days: int, now: datetime, issuer: _Issued | None) -> _Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name)
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # a reader's clock may be a little behind
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=0 if issuer is None else None), True)
        .add_extension(_usage(authority=issuer is None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    )
    if issuer is not None:
        purposes = x509.ExtendedKeyUsage([C2PA_CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, False)
    return _Issued(builder.sign(signer, hashes.SHA256()), key)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Troth"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _certificate(issued: _Issued) -> bytes:
    return issued.certificate.public_bytes(serialization.Encoding.PEM)


def _private(issued: _Issued) -> bytes:
    return issued.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
