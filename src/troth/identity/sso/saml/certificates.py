"""Certificates of a connection: those of the provider, which are pinned, and our own with their keys."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from troth.kernel.errors import IntegrityError, Invalid

MOST = 8  # of one provider: those in use, and those that come next
LIFE = timedelta(days=3 * 365)
_RSA_BITS = 3072
_LEAST_RSA_BITS = 2048
_LEAST_CURVE_BITS = 256


def read(texts: Sequence[str]) -> tuple[x509.Certificate, ...]:
    """Certificates from base64 of DER. Raises `Invalid` (`saml-certificate`): unreadable, too many, too weak a key."""
    if not 0 < len(texts) <= MOST:
        raise _bad()
    try:
        found = tuple(x509.load_der_x509_certificate(base64.b64decode("".join(one.split()))) for one in texts)
        keys = [one.public_key() for one in found]
    except (ValueError, binascii.Error) as error:
        raise _bad() from error
    if not all(_strong(key) for key in keys):
        raise _bad()
    return found


def shown(certificate: x509.Certificate) -> str:
    """Base64 of the DER, as metadata carries it."""
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def make(name: str, now: datetime) -> tuple[str, str]:
    """A fresh key pair of ours: (base64 of the PKCS #8 key, base64 of the self-signed certificate)."""
    key = generate_private_key(65537, _RSA_BITS)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    building = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    building = building.serial_number(x509.random_serial_number())
    building = building.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + LIFE)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(der).decode(), shown(building.sign(key, hashes.SHA256()))


def keys(secret: str) -> tuple[RSAPrivateKey, ...]:
    """Our keys from the connection's sealed secret, the one that signs first. Raises `IntegrityError`."""
    loaded = [load_der_private_key(base64.b64decode(one), None) for one in secret.split()]
    ours = tuple(one for one in loaded if isinstance(one, RSAPrivateKey))
    if not ours or len(ours) != len(loaded):
        raise IntegrityError("The keys of this connection cannot be read; make it anew.")
    return ours


def _strong(key: object) -> bool:
    if isinstance(key, RSAPublicKey):
        return key.key_size >= _LEAST_RSA_BITS
    return isinstance(key, EllipticCurvePublicKey) and key.key_size >= _LEAST_CURVE_BITS


def _bad() -> Invalid:
    return Invalid(
        f"Give metadata with 1 to {MOST} X.509 certificates of RSA keys (2048 bits or more) or P-256, P-384, P-521.",
        code="saml-certificate",
    )
