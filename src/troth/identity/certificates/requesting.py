"""The other side: the holder of a key asks for certificates. For programs of ours; others use any PKCS#10 tool."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from troth.kernel.errors import Invalid

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def request_by(key: PrivateKey, common_name: str = "device") -> str:
    """PEM of a request that the key signs; for a renewal the common name is `proving.renewal_name`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, digest)
    return made.public_bytes(serialization.Encoding.PEM).decode()


def private_pem(key: PrivateKey) -> bytes:
    """The key, unencrypted, for a file that only its owner can read."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def private_key(pem: bytes) -> PrivateKey:
    """The inverse. Raises `Invalid`."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise _unusable() from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise _unusable()
    return key


def _unusable() -> Invalid:
    return Invalid("This is no private key of P-256 or Ed25519 in PEM; enrol the device anew.", code="bad-device-key")
