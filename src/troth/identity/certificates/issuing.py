"""What certificates look like (RFC 5280, X509-SVID): pure, with the moment as an argument.

No name constraints: those of URIs speak of the host alone (RFC 5280 section 4.2.1.10), so they cannot keep tenants
apart, and rustls refuses every chain that has them. docs/decisions/0088-device-certificates.md
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from troth.identity.certificates.names import SpiffeName
from troth.kernel.errors import Invalid

LEAF_LIFE = timedelta(hours=1)
AUTHORITY_LIFE = timedelta(days=90)
SKEW = timedelta(minutes=2)  # clocks of devices that are behind ours
MAX_REQUEST = 4096  # characters of a PEM request; one for P-256 has some 400
_SERIAL_BYTES = 16  # all random; the CA/Browser Forum asks for 64 bits

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def fresh_key() -> ec.EllipticCurvePrivateKey:
    """A key for an authority: P-256, which every TLS library verifies."""
    return ec.generate_private_key(ec.SECP256R1())


def authority_certificate(key: ec.EllipticCurvePrivateKey, domain: str, at: datetime) -> x509.Certificate:
    """A self-signed authority that signs leaves and nothing else (path length 0)."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Troth authority of devices"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, secrets.token_hex(8)),  # two never share a name
        ]
    )
    uri = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"spiffe://{domain}")])
    builder = _dated(x509.CertificateBuilder(), at, AUTHORITY_LIFE).subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).add_extension(uri, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256())


def leaf_certificate(
    name: SpiffeName,
    holder: PublicKey,
    issuer: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    at: datetime,
) -> x509.Certificate:
    """One hour for a client: no subject, one URI (so it is critical, section 4.2.1.6), client authentication alone."""
    uri = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name.uri)])
    builder = _dated(x509.CertificateBuilder(), at, LEAF_LIFE).subject_name(x509.Name([])).issuer_name(issuer.subject)
    builder = builder.public_key(holder).add_extension(uri, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(holder), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())


def read_request(pem: str) -> x509.CertificateSigningRequest:
    """A request (PKCS#10, RFC 2986) whose sender holds its key, P-256 or Ed25519.

    Nothing it asks for is taken over but the key. Raises `Invalid` (`bad-certificate-request`).
    """
    try:
        request = x509.load_pem_x509_csr(pem.encode("ascii"))
        held = request.is_signature_valid
        supported_key(request.public_key())
    except (ValueError, InvalidSignature, UnsupportedAlgorithm, TypeError) as error:
        raise _bad_request() from error
    if not held:
        raise _bad_request()
    return request


def supported_key(key: object) -> PublicKey:
    """The key, if it is of a kind that certificates are issued for. Raises `Invalid` (`bad-certificate-request`)."""
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise _bad_request()


def key_digest(key: PublicKey) -> bytes:
    """SHA-256 of the key's SubjectPublicKeyInfo: the same for every certificate of one device."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).digest()


def pem_of(certificate: x509.Certificate) -> str:
    """The certificate as PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _dated(builder: x509.CertificateBuilder, at: datetime, life: timedelta) -> x509.CertificateBuilder:
    serial = int.from_bytes(secrets.token_bytes(_SERIAL_BYTES)) or 1
    return builder.serial_number(serial).not_valid_before(at - SKEW).not_valid_after(at + life)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _bad_request() -> Invalid:
    return Invalid(
        "Send a PEM certificate request (PKCS#10) that its own P-256 or Ed25519 key signed.",
        code="bad-certificate-request",
        field="request",
    )
