"""What certificates look like, read back with the library's own verifier."""

from __future__ import annotations

from base64 import encodebytes
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from troth.identity.certificates import issuing
from troth.identity.certificates.names import SpiffeName
from troth.kernel.errors import Invalid
from unit.identity.certificates.fleet import request_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = SpiffeName("troth.example.org", "ten_a", "device", "dev_b")
CA_KEY = issuing.fresh_key()
CA = issuing.authority_certificate(CA_KEY, NAME.trust_domain, NOW)


def _leaf(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> x509.Certificate:
    return issuing.leaf_certificate(NAME, key.public_key(), CA, CA_KEY, NOW)


@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_a_leaf_is_what_its_standards_say(kind: str) -> None:
    key = issuing.fresh_key() if kind == "P-256" else ed25519.Ed25519PrivateKey.generate()
    leaf = _leaf(key)
    found = {type(one.value): one for one in leaf.extensions}
    names = found[x509.SubjectAlternativeName]
    assert [one.value for one in names.value] == [NAME.uri]
    assert names.critical
    assert leaf.subject == x509.Name([])
    assert list(found[x509.ExtendedKeyUsage].value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert found[x509.BasicConstraints].value == x509.BasicConstraints(ca=False, path_length=None)
    usage = found[x509.KeyUsage].value
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    assert x509.NameConstraints not in found
    assert leaf.not_valid_after_utc - NOW == timedelta(hours=1)
    assert timedelta(0) < NOW - leaf.not_valid_before_utc <= timedelta(minutes=5)


def test_the_librarys_verifier_takes_the_chain_for_clients() -> None:
    verifier = PolicyBuilder().store(Store([CA])).time(NOW).build_client_verifier()
    verified = verifier.verify(_leaf(issuing.fresh_key()), [])
    assert [one.value for one in verified.subjects or []] == [NAME.uri]


def test_serials_are_random_and_at_least_128_bits_wide() -> None:
    serials = [_leaf(CA_KEY).serial_number for _ in range(40)]
    assert len(set(serials)) == 40
    assert max(one.bit_length() for one in serials) > 120
    assert max(one.bit_length() for one in serials) <= 128


def test_an_authority_signs_leaves_and_nothing_below() -> None:
    constraints = CA.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    assert CA.subject != issuing.authority_certificate(CA_KEY, NAME.trust_domain, NOW).subject


def test_a_request_gives_its_key_if_its_own_key_signed_it() -> None:
    key = issuing.fresh_key()
    assert issuing.read_request(request_of(key)).public_key() == key.public_key()
    other = ed25519.Ed25519PrivateKey.generate()
    assert issuing.key_digest(issuing.supported_key(issuing.read_request(request_of(other)).public_key())) != (
        issuing.key_digest(key.public_key())
    )


def _broken() -> dict[str, str]:
    good = request_of(issuing.fresh_key())
    der = bytearray(x509.load_pem_x509_csr(good.encode()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    rsa_key = rsa.generate_private_key(65537, 2048)
    wide = ec.generate_private_key(ec.SECP384R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    frame = "-----BEGIN CERTIFICATE REQUEST-----\n{}-----END CERTIFICATE REQUEST-----\n"
    return {
        "signature": frame.format(encodebytes(bytes(der)).decode()),
        "rsa": made.sign(rsa_key, hashes.SHA256()).public_bytes(Encoding.PEM).decode(),
        "P-384": made.sign(wide, hashes.SHA256()).public_bytes(Encoding.PEM).decode(),
        "certificate": issuing.pem_of(CA),
        "nothing": "",
        "not ASCII": good.replace("BEGIN", "BEGİN"),
        "cut": good[: len(good) // 2],
    }


@pytest.mark.parametrize("which", ["signature", "rsa", "P-384", "certificate", "nothing", "not ASCII", "cut"])
def test_any_other_request_is_refused(which: str) -> None:
    with pytest.raises(Invalid) as refusal:
        issuing.read_request(_broken()[which])
    assert refusal.value.code == "bad-certificate-request"
