"""A SAML identity provider in software, for the self-check: it says what it is told, and signs it or not."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from troth.identity.sso.saml import certificates
from troth.identity.sso.saml.libraries import etree
from troth.identity.sso.saml.names import BEARER, DS, ENVELOPED, EXCLUSIVE, PERSISTENT, SAML, SAMLP, SUCCESS
from troth.identity.sso.saml.response import Expected

NAME = "https://idp.self-check.example"
US = "https://troth.self-check.example"
REQUEST = "_selfcheck"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"


@dataclass(frozen=True, slots=True)
class Provider:
    """One key pair and a moment."""

    now: datetime
    key: RSAPrivateKey = field(repr=False)
    expected: Expected

    @classmethod
    def fresh(cls, now: datetime) -> Provider:
        """One with a new key pair, and what an honest answer of it fits."""
        key, certificate = certificates.make("self-check", now)
        pinned = certificates.read((certificate,))
        fits = Expected(
            provider=NAME, certificates=pinned, audience=US, destination=f"{US}/acs", request=REQUEST, now=now
        )
        return cls(now, certificates.keys(key)[0], fits)

    def assertion(self, name: str, *, audience: str = US, age: int = 0) -> str:
        """An assertion, unsigned, written `age` seconds ago."""
        at, end = self._at(-age), self._at(120 - age)
        return (
            f'<saml:Assertion xmlns:saml="{SAML[1:-1]}" ID="_a{age}" Version="2.0" IssueInstant="{at}">'
            f"<saml:Issuer>{NAME}</saml:Issuer><saml:Subject>"
            f'<saml:NameID Format="{PERSISTENT}">{name}</saml:NameID><saml:SubjectConfirmation Method="{BEARER}">'
            f'<saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{US}/acs" InResponseTo="{REQUEST}"/>'
            f'</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotOnOrAfter="{end}">'
            f"<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>"
            f'</saml:Conditions><saml:AuthnStatement AuthnInstant="{at}"><saml:AuthnContext>'
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</saml:AuthnContextClassRef>"
            "</saml:AuthnContext></saml:AuthnStatement></saml:Assertion>"
        )

    def response(self, inside: str) -> bytes:
        """A Response around it."""
        return (
            f'<samlp:Response xmlns:samlp="{SAMLP[1:-1]}" xmlns:saml="{SAML[1:-1]}" ID="_r" Version="2.0"'
            f' IssueInstant="{self._at(0)}" Destination="{US}/acs" InResponseTo="{REQUEST}"><samlp:Status>'
            f'<samlp:StatusCode Value="{SUCCESS}"/></samlp:Status>{inside}</samlp:Response>'
        ).encode()

    def signed(self, text: str) -> str:
        """`text` with an enveloped signature after its issuer."""
        root = etree().fromstring(text)
        digest = base64.b64encode(hashlib.sha256(_canonical(root)).digest()).decode()
        information = (
            f'<ds:SignedInfo xmlns:ds="{DS[1:-1]}"><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
            f'<ds:SignatureMethod Algorithm="{_RSA_SHA256}"/><ds:Reference URI="#{root.get("ID")}"><ds:Transforms>'
            f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXCLUSIVE}"/></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{_SHA256}"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
            "</ds:SignedInfo>"
        )
        plain = _canonical(etree().fromstring(information))
        value = base64.b64encode(self.key.sign(plain, PKCS1v15(), hashes.SHA256())).decode()
        signature = (
            f'<ds:Signature xmlns:ds="{DS[1:-1]}">{information}<ds:SignatureValue>{value}</ds:SignatureValue>'
            "</ds:Signature>"
        )
        return text.replace("</saml:Issuer>", f"</saml:Issuer>{signature}", 1)

    def _at(self, seconds: int) -> str:
        return (self.now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _canonical(root: Any) -> bytes:
    form: bytes = etree().tostring(root, method="c14n", exclusive=True, with_comments=False)
    return form
