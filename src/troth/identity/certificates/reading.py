"""What a certificate that a client showed says. The handshake checked its chain; this reads it strictly, once."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from troth.identity.certificates.issuing import key_digest, supported_key
from troth.identity.certificates.names import SpiffeName, read_name
from troth.kernel.errors import Invalid, Unauthenticated

_KEPT = 1024  # certificates that were read lately; each lives an hour
MAX_PEM = 8192  # characters


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate of ours: whose it is, whose key answered, who signed it, and when it holds (epoch ms)."""

    name: SpiffeName
    key: bytes  # SHA-256 of the SubjectPublicKeyInfo
    thumbprint: str  # SHA-256 of the certificate, base64url: `x5t#S256` of RFC 8705 section 3.1
    authority: str  # key identifier of who signed it, hex
    begins_at: int
    ends_at: int


@lru_cache(_KEPT)
def read_shown(pem: str) -> Shown:
    """The certificate, if it has exactly the shape that we issue. Raises `Unauthenticated` (`certificate-unfit`).

    It says nothing of validity now: compare the times, the authority, the device.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem[:MAX_PEM].encode("ascii"))
        extensions = certificate.extensions
        name = _only_name(extensions)
        _require_client(extensions)
        authority = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        key = key_digest(supported_key(certificate.public_key()))
    except (ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, Invalid) as error:
        raise unfit() from error
    return Shown(
        name=name,
        key=key,
        thumbprint=_thumbprint(certificate),
        authority=(authority or b"").hex(),
        begins_at=int(certificate.not_valid_before_utc.timestamp() * 1000),
        ends_at=int(certificate.not_valid_after_utc.timestamp() * 1000),
    )


def unfit() -> Unauthenticated:
    """The refusal for a certificate that is not one of a device of this installation."""
    return Unauthenticated(
        "This client certificate is not one of a device or service of this installation; enrol the device.",
        code="certificate-unfit",
    )


def _only_name(extensions: x509.Extensions) -> SpiffeName:
    """X509-SVID section 5.2: exactly one URI; we refuse every other name beside it too."""
    names = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    if len(names) != 1 or not isinstance(names[0], x509.UniformResourceIdentifier):
        raise unfit()
    return read_name(names[0].value)


def _require_client(extensions: x509.Extensions) -> None:
    purposes = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    if purposes != [ExtendedKeyUsageOID.CLIENT_AUTH] or constraints.ca or usage.key_cert_sign:
        raise unfit()


def _thumbprint(certificate: x509.Certificate) -> str:

    return urlsafe_b64encode(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()).decode().rstrip("=")
