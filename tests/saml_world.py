"""An identity provider of our own for tests: it writes Responses as told, also wrong ones, and signs and encrypts them.

Independent of the code under test: signatures are made here with `cryptography` and libxml2's canonical form.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from troth.identity.sso.saml.response import Expected

NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
}
SSO = "https://idp.example/sso"
PROVIDER = "https://idp.example/metadata"
US = "https://troth.example/saml/sso_1/metadata"
ACS = "https://troth.example/saml/sso_1/acs"
REQUEST = "_request1"
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256 = _MORE + "rsa-sha256"
RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
ECDSA_SHA256 = _MORE + "ecdsa-sha256"
HMAC_SHA256 = _MORE + "hmac-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
_HASH: dict[str, Any] = {"1": hashes.SHA1, "256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@functools.cache
def key(name: str) -> Key:
    """One key for each name in a run; names that begin with `ec` are on P-256."""
    if name.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


@functools.cache
def certificate(name: str, *, until: datetime = NOW + timedelta(days=700)) -> x509.Certificate:
    """A self-signed certificate of that key."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.example")])
    building = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key(name).public_key())
    building = building.serial_number(7).not_valid_before(until - timedelta(days=900)).not_valid_after(until)
    return building.sign(key(name), hashes.SHA256())


def moment(seconds: float = 0) -> str:
    """A time so many seconds after `NOW`, as SAML writes it."""
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the provider says; None leaves a part out. `extra` is XML put where its name says."""

    name_id: str | None = "ada@customer.example"
    name_attributes: str = 'Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"'
    provider: str | None = PROVIDER
    response_issuer: str | None = PROVIDER
    destination: str | None = ACS
    recipient: str | None = ACS
    audience: str | None = US
    response_to: str | None = REQUEST
    confirmation_to: str | None = REQUEST
    status: str = "urn:oasis:names:tc:SAML:2.0:status:Success"
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    version: str = "2.0"
    issued: str = field(default_factory=moment)
    not_before: str | None = field(default_factory=lambda: moment(-30))
    not_on_or_after: str | None = field(default_factory=lambda: moment(300))
    confirmation_until: str | None = field(default_factory=lambda: moment(300))
    confirmation_from: str | None = None
    authenticated: str | None = field(default_factory=lambda: moment(-10))
    session_until: str | None = field(default_factory=lambda: moment(8 * 3600))
    assertion_id: str = "_assertion1"
    response_id: str = "_response1"
    attributes: str = (
        '<saml:Attribute Name="email"><saml:AttributeValue>ada@customer.example</saml:AttributeValue></saml:Attribute>'
        '<saml:Attribute Name="groups"><saml:AttributeValue xsi:type="xs:string">staff</saml:AttributeValue>'
        "<saml:AttributeValue>lab</saml:AttributeValue></saml:Attribute>"
    )
    conditions_extra: str = "<saml:OneTimeUse/>"
    assertion_extra: str = ""
    response_extra: str = ""


def _attribute(name: str, value: str | None) -> str:
    return "" if value is None else f' {name}="{value}"'


def assertion_text(facts: Facts) -> str:
    """The assertion, unsigned."""
    issuer = "" if facts.provider is None else f"<saml:Issuer>{facts.provider}</saml:Issuer>"
    name = "" if facts.name_id is None else f"<saml:NameID {facts.name_attributes}>{facts.name_id}</saml:NameID>"
    data = (
        _attribute("NotOnOrAfter", facts.confirmation_until)
        + _attribute("NotBefore", facts.confirmation_from)
        + _attribute("Recipient", facts.recipient)
        + _attribute("InResponseTo", facts.confirmation_to)
    )
    window = _attribute("NotBefore", facts.not_before) + _attribute("NotOnOrAfter", facts.not_on_or_after)
    audience = (
        ""
        if facts.audience is None
        else f"<saml:AudienceRestriction><saml:Audience>{facts.audience}</saml:Audience></saml:AudienceRestriction>"
    )
    statement = (
        ""
        if facts.authenticated is None
        else f'<saml:AuthnStatement AuthnInstant="{facts.authenticated}" SessionIndex="_session1"'
        + _attribute("SessionNotOnOrAfter", facts.session_until)
        + "><saml:AuthnContext><saml:AuthnContextClassRef>"
        "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
        "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
    )
    return (
        f'<saml:Assertion xmlns:saml="{NS["saml"]}" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' ID="{facts.assertion_id}" Version="{facts.version}" IssueInstant="{facts.issued}">{issuer}'
        f'<saml:Subject>{name}<saml:SubjectConfirmation Method="{facts.method}">'
        f"<saml:SubjectConfirmationData{data}/></saml:SubjectConfirmation></saml:Subject>"
        f"<saml:Conditions{window}>{audience}{facts.conditions_extra}</saml:Conditions>{statement}"
        f"<saml:AttributeStatement>{facts.attributes}</saml:AttributeStatement>{facts.assertion_extra}</saml:Assertion>"
    )


def response_text(facts: Facts, inside: str) -> str:
    """The Response around an assertion, unsigned."""
    issuer = "" if facts.response_issuer is None else f"<saml:Issuer>{facts.response_issuer}</saml:Issuer>"
    return (
        f'<samlp:Response xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}" ID="{facts.response_id}"'
        f' Version="{facts.version}" IssueInstant="{facts.issued}"{_attribute("Destination", facts.destination)}'
        f"{_attribute('InResponseTo', facts.response_to)}>{issuer}"
        f'<samlp:Status><samlp:StatusCode Value="{facts.status}"/></samlp:Status>'
        f"{inside}{facts.response_extra}</samlp:Response>"
    )


@dataclass(frozen=True, kw_only=True)
class Signing:
    """How to sign; every deviation from the defaults is a fault or another honest algorithm."""

    key: str = "idp"
    method: str = RSA_SHA256
    digest: str = SHA256
    canonical: str = EXCLUSIVE
    transforms: tuple[str, ...] = (ENVELOPED, EXCLUSIVE)
    uri: str | None = None
    secret: bytes | None = None  # of an HMAC
    key_info: str | None = None
    references: int = 1


def signed(text: str, how: Signing | None = None) -> str:
    """`text` with an enveloped signature after its issuer."""
    how = how or Signing()
    root = etree.fromstring(text)
    uri = f"#{root.get('ID')}" if how.uri is None else how.uri
    digest = base64.b64encode(hashlib.new(_digest_name(how.digest), canonical(root)).digest()).decode()
    transforms = "".join(f'<ds:Transform Algorithm="{one}"/>' for one in how.transforms)
    reference = (
        f'<ds:Reference URI="{uri}"><ds:Transforms>{transforms}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{how.digest}"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
    )
    information = (
        f'<ds:SignedInfo xmlns:ds="{NS["ds"]}"><ds:CanonicalizationMethod Algorithm="{how.canonical}"/>'
        f'<ds:SignatureMethod Algorithm="{how.method}"/>{reference * how.references}</ds:SignedInfo>'
    )
    exclusive = how.canonical.startswith(EXCLUSIVE)
    plain = etree.tostring(etree.fromstring(information), method="c14n", exclusive=exclusive, with_comments=False)
    value = base64.b64encode(_sign(plain, how)).decode()
    shown = key_info(how.key) if how.key_info is None else how.key_info
    signature = (
        f'<ds:Signature xmlns:ds="{NS["ds"]}">{information}<ds:SignatureValue>{value}</ds:SignatureValue>'
        f"{shown}</ds:Signature>"
    )
    end = "</saml:Issuer>"
    if end in text:
        return text.replace(end, end + signature, 1)
    return text.replace(">", ">" + signature, 1)


def key_info(name: str) -> str:
    """A KeyInfo that shows a certificate."""
    der = base64.b64encode(certificate(name).public_bytes(Encoding.DER)).decode()
    return f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"


def canonical(root: Any) -> bytes:
    """Exclusive canonical form without comments."""
    return etree.tostring(root, method="c14n", exclusive=True, with_comments=False)  # type: ignore[no-any-return]


def _digest_name(uri: str) -> str:
    return uri.rpartition("#")[2].rpartition("-")[2]


def _sign(plain: bytes, how: Signing) -> bytes:
    if how.secret is not None:
        return hmac.digest(how.secret, plain, "sha256")
    algorithm = _HASH[how.method.rpartition("sha")[2]]()
    private = key(how.key)
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(plain, padding.PKCS1v15(), algorithm)
    r, s = decode_dss_signature(private.sign(plain, ec.ECDSA(algorithm)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def public_pem(name: str) -> bytes:
    """The public key as a text that an attacker knows."""
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def encrypted(text: str, to: str = "sp", algorithm: str = "gcm", wrap: str = "rsa-oaep-mgf1p") -> str:
    """An EncryptedAssertion to the key `to`."""
    content_key, private = os.urandom(16), key(to)
    assert isinstance(private, rsa.RSAPrivateKey)
    uris = {"gcm": "http://www.w3.org/2009/xmlenc11#aes128-gcm", "cbc": "http://www.w3.org/2001/04/xmlenc#aes128-cbc"}
    padding_of_key: Any = (
        padding.PKCS1v15() if wrap == "rsa-1_5" else padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    )
    sealed = base64.b64encode(private.public_key().encrypt(content_key, padding_of_key)).decode()
    content = _gcm(content_key, text.encode()) if algorithm == "gcm" else _cbc(content_key, text.encode())
    return (
        f'<saml:EncryptedAssertion><xenc:EncryptedData xmlns:xenc="{NS["xenc"]}"'
        f' Type="{NS["xenc"]}Element"><xenc:EncryptionMethod Algorithm="{uris[algorithm]}"/>'
        f'<ds:KeyInfo xmlns:ds="{NS["ds"]}"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{NS["xenc"]}{wrap}"/>'
        f"<xenc:CipherData><xenc:CipherValue>{sealed}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
        f"<xenc:CipherData><xenc:CipherValue>{base64.b64encode(content).decode()}</xenc:CipherValue></xenc:CipherData>"
        "</xenc:EncryptedData></saml:EncryptedAssertion>"
    )


def _gcm(content_key: bytes, plain: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(content_key).encrypt(nonce, plain, None)


def _cbc(content_key: bytes, plain: bytes) -> bytes:
    vector, missing = os.urandom(16), 16 - len(plain) % 16
    sealing = Cipher(AES(content_key), CBC(vector)).encryptor()
    return vector + sealing.update(plain + b"\0" * (missing - 1) + bytes([missing])) + sealing.finalize()


def assertion_signed(facts: Facts | None = None, how: Signing | None = None) -> str:
    """Shape 1: the assertion carries the signature."""
    facts = facts or Facts()
    return response_text(facts, signed(assertion_text(facts), how))


def response_signed(facts: Facts | None = None, how: Signing | None = None) -> str:
    """Shape 2: the Response carries it."""
    facts = facts or Facts()
    return signed(response_text(facts, assertion_text(facts)), how)


def both_signed(facts: Facts | None = None, how: Signing | None = None) -> str:
    """Shape 3: both."""
    facts = facts or Facts()
    return signed(response_text(facts, signed(assertion_text(facts), how)), how)


def signed_and_encrypted(facts: Facts | None = None, how: Signing | None = None) -> str:
    """Shape 4: the assertion is signed and then encrypted."""
    facts = facts or Facts()
    return response_text(facts, encrypted(signed(assertion_text(facts), how)))


SHAPES: dict[str, Callable[[], str]] = {
    "assertion-signed": assertion_signed,
    "response-signed": response_signed,
    "both-signed": both_signed,
    "signed-and-encrypted": signed_and_encrypted,
}


def expected(**changes: Any) -> Expected:
    """What the honest answers of this provider fit."""
    private = key("sp")
    assert isinstance(private, rsa.RSAPrivateKey)
    usual = Expected(
        provider=PROVIDER,
        certificates=(certificate("idp"),),
        audience=US,
        destination=ACS,
        request=REQUEST,
        now=NOW,
        keys=(private,),
    )
    return replace(usual, **changes)


def provider_metadata(*keys: str, **changes: str) -> str:
    """The provider's metadata with the certificates of these keys; `changes` are attributes of its root."""
    shown = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
        + base64.b64encode(certificate(one).public_bytes(Encoding.DER)).decode()
        + "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for one in keys
    )
    extra = "".join(f' {name}="{value}"' for name, value in changes.items())
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="{NS["ds"]}"'
        f' entityID="{PROVIDER}"{extra}><!-- a comment, as some providers write -->'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{NS["samlp"]}">{shown}'
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"'
        f' Location="{SSO}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )
