"""The certificate authority of this installation behind content credentials.

C2PA 2.2 section 14.5.1: an end-entity certificate for claim signing has a subject and authority key identifier, key
usage digitalSignature and an extended key usage of the C2PA list. The authority is local: it gives evidence of
tampering, not a name on the public C2PA trust list. Certificates lie in its folder; its keys lie where `keys_of` says:
beside them, on a PKCS#11 token, or in OpenBao. docs/decisions/0102-key-of-credentials.md
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from troth.kernel.clock import Clock
from troth.kernel.errors import Conflict, Gone, Unavailable
from troth.keys.roots.port import FILES
from troth.keys.signers.local import LocalSigningKeys
from troth.keys.signers.port import SigningKeys
from troth.storage.durable import sync_folder

C2PA_CLAIM_SIGNING: Final = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""Extended key usage c2pa-kp-claimSigning (C2PA 2.2, 14.5.1.1)."""

# Without a time stamp authority a reader judges a signature by its own clock, so a picture stays verifiable only while
# the leaf does: ten years, not the usual one.
LEAF_DAYS: Final = 3650
ROOT_DAYS: Final = 7300
RENEW_DAYS: Final = 90
"""So long before its end a leaf is followed by another one, at the next start."""

_LEAF: Final = re.compile(r"leaf(?:-([1-9][0-9]{0,5}))?\.pem\Z")
_CLASS: Final = "assurance"
_ES256: Final = bytes.fromhex("300a06082a8648ce3d040302")  # AlgorithmIdentifier ecdsa-with-SHA256 (RFC 5758)
KeysOf = Callable[[Path], SigningKeys]
Recording = Callable[[], AbstractContextManager[object]]
"""What stands around a renewal, so that it is in the log; when it raises `Unavailable`, none takes place."""


class Authority:
    """A root and signing leaves (ES256) in a folder; created whole on first use, read afterwards.

    Keys elsewhere are met at the first signature, so that a holder that is away stops no start but the first.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        keys_of: KeysOf = LocalSigningKeys,
        recording: Recording = contextlib.nullcontext,
        founding: Recording = contextlib.nullcontext,
    ) -> None:
        """Opens the authority in `folder`, creating it when absent, and gives it a new leaf when its time comes.

        `founding` is entered around its creation, `recording` around a renewal: what they refuse is not done.
        Raises `Unavailable` (credentials-unusable, credentials-expired; on first use also those of `SigningKeys`).
        """
        self._folder, self._clock, self.renewed = folder, clock, False  # renewed: by this very object
        try:
            if not folder.exists():
                with founding():
                    _create(folder, clock.now(), keys_of)
            self._root = x509.load_pem_x509_certificate((folder / "root.pem").read_bytes())
            self._keys = keys_of(folder)
            self._take(*_newest(folder))
            self.assurance = assurance_of(folder)
            if self._keys.kind == "local":
                self._prove()
        except (OSError, ValueError, TypeError, InvalidSignature) as error:
            raise _unusable() from error
        if self._leaf.not_valid_after_utc - timedelta(days=RENEW_DAYS) <= clock.now():
            self._renew_in_time(recording)

    @property
    def anchor(self) -> str:
        """The root certificate, PEM."""
        return _pem(self._root).decode("ascii")

    @property
    def chain(self) -> str:
        """The signing certificate and the root, PEM."""
        return _pem(self._leaf).decode("ascii") + self.anchor

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 with SHA-256, 64 bytes r || s (RFC 9053 section 2.1). Raises `Unavailable`, as `SigningKeys`."""
        if not self._proved:
            self._prove()
        try:
            return self._keys.sign(self._name, message)
        except Gone as error:
            raise _unusable() from error

    def renew(self) -> None:
        """Another leaf, with a key of its own, under the same root. Readers that know the root need nothing new.

        Raises `Unavailable`: the leaf of before then stays.
        """
        number = self._number + 1
        try:
            with contextlib.suppress(Conflict):  # made by a renewal that was cut off, or by another process just now
                self._keys.create(_key_name(number))
            public = self._keys.public_key(_key_name(number))
            made = _issued(self._keys, "root", (_LEAF_NAME, public), self._clock.now(), issuer=self._root)
            with contextlib.suppress(FileExistsError):
                _write(self._folder / f"{_key_name(number)}.pem", _pem(made))
            sync_folder(self._folder)
            self._take(*_newest(self._folder))
            self.renewed = True
        except (OSError, ValueError, InvalidSignature, Gone) as error:
            raise _unusable() from error

    def _renew_in_time(self, recording: Recording) -> None:
        try:
            if self._leaf.not_valid_after_utc < self._root.not_valid_after_utc:  # else the next would last no longer
                with recording():
                    self.renew()
        except Unavailable:
            if self._leaf.not_valid_after_utc <= self._clock.now():
                raise _expired() from None
        if min(self._leaf.not_valid_after_utc, self._root.not_valid_after_utc) <= self._clock.now():
            raise _expired()

    def _take(self, number: int, leaf: x509.Certificate) -> None:
        leaf.verify_directly_issued_by(self._root)
        self._number, self._leaf, self._name, self._proved = number, leaf, _key_name(number), False

    def _prove(self) -> None:
        """Raises `Unavailable` unless the holder has the key of the leaf."""
        try:
            held = self._keys.public_key(self._name)
        except (Gone, Unavailable) as error:
            if isinstance(error, Unavailable) and self._keys.kind != "local":
                raise
            raise _unusable() from error
        if held != _spki(self._leaf):
            raise _unusable()
        self._proved = True


def assurance_of(folder: Path) -> str:
    """Where the keys of the authority in `folder` were made (A0, A1, A2). Raises OSError."""
    place = folder / _CLASS
    return place.read_text("ascii").strip() if place.exists() else FILES


def held_name(folder: Path) -> str:
    """The name by which a holder elsewhere knows the keys of the authority in `folder`; drawn on first use.

    Raises OSError.
    """
    place = folder / "name"
    with contextlib.suppress(FileExistsError):
        _write(place, secrets.token_hex(8).encode())
    return place.read_text("ascii").strip()


def _unusable() -> Unavailable:
    return Unavailable(
        "The keys for content credentials cannot be read: check the folder's owner and restore it from the backup.",
        code="credentials-unusable",
    )


def _expired() -> Unavailable:
    return Unavailable(
        "The certificate for content credentials has expired and cannot be renewed: move its folder away and start "
        "again.",
        code="credentials-expired",
    )


def _create(folder: Path, now: datetime, keys_of: KeysOf) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    fresh.mkdir(mode=0o700)
    try:
        keys = keys_of(fresh)
        keys.create("root")
        keys.create("leaf")
        root = _issued(keys, "root", (_ROOT_NAME, keys.public_key("root")), now, issuer=None)
        leaf = _issued(keys, "root", (_LEAF_NAME, keys.public_key("leaf")), now, issuer=root)
        if keys.kind != "local":
            _write(fresh / _CLASS, keys.assurance.encode())
        _write(fresh / "root.pem", _pem(root))
        _write(fresh / "leaf.pem", _pem(leaf))
        sync_folder(fresh)
        fresh.rename(folder)  # all files or none; a non-empty folder means that another process was first
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    sync_folder(folder.parent)


def _newest(folder: Path) -> tuple[int, x509.Certificate]:
    """The number and the certificate of the last leaf. Raises OSError, ValueError."""
    found = [match for path in folder.iterdir() if (match := _LEAF.match(path.name))]
    if not found:
        raise ValueError("no leaf")
    last = max(found, key=lambda match: int(match[1] or 1))
    return int(last[1] or 1), x509.load_pem_x509_certificate((folder / last[0]).read_bytes())


def _key_name(number: int) -> str:
    return "leaf" if number == 1 else f"leaf-{number}"


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


_ROOT_NAME: Final = "Troth content credentials root"
_LEAF_NAME: Final = "Troth content credentials"


def _issued(
    keys: SigningKeys, signer: str, subject: tuple[str, bytes], now: datetime, *, issuer: x509.Certificate | None
) -> x509.Certificate:
    """A certificate signed by the key `signer`. `subject`: common name and public key (SPKI); no `issuer`: a root."""
    common_name, public = subject
    name, key = _name(common_name), serialization.load_der_public_key(public)
    above = key if issuer is None else issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(above, ec.EllipticCurvePublicKey):
        raise ValueError("no P-256 key")
    ends = now + timedelta(days=ROOT_DAYS if issuer is None else LEAF_DAYS)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # a reader's clock may be a little behind
        .not_valid_after(min(ends, issuer.not_valid_after_utc) if issuer else ends)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=0 if issuer is None else None), True)
        .add_extension(_usage(authority=issuer is None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), False)
    )
    if issuer is not None:
        purposes = x509.ExtendedKeyUsage([C2PA_CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purposes, False)
    # The library signs only with keys in memory: what it signed with one that is thrown away is signed anew.
    content = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).tbs_certificate_bytes
    signature = keys.sign(signer, content)
    pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    made = x509.load_der_x509_certificate(_der(0x30, content + _ES256 + _der(0x03, b"\0" + pair)))
    made.verify_directly_issued_by(issuer or made)
    return made


def _der(tag: int, content: bytes) -> bytes:
    """One element of DER (X.690, 8.1.3)."""
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


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


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
