"""What a Response may consist of, as a table; whatever is not in it is refused.

Signature wrapping needs a place to hide a second copy (Somorovsky et al., "On Breaking SAML: Be Whoever You Want to
Be", USENIX Security 2012): Extensions, Object, Advice, a sibling, a nested assertion. None of them is in the table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from troth.identity.sso.saml.names import DS, DS11, EC, SAML, SAMLP, XENC, XENC11, XSI
from troth.identity.sso.saml.refusal import Reason, SamlRefused

_ID_ATTRIBUTES = ("ID", "Id")
_NCNAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}\Z")
_MAX_TEXT = 16_384  # certificates and digests; what people are called has its own, shorter limit


@dataclass(frozen=True, slots=True)
class _Form:
    attributes: frozenset[str]
    children: frozenset[str]
    text: bool


def _form(attributes: str = "", *children: str, text: bool = False) -> _Form:
    return _Form(frozenset(attributes.split()), frozenset(children), text)


def _text(attributes: str = "") -> _Form:
    return _form(attributes, text=True)


_NAME = "NameQualifier SPNameQualifier Format SPProvidedID"

_PROTOCOL = {
    f"{SAMLP}Response": _form(
        "ID Version IssueInstant Destination Consent InResponseTo",
        f"{SAML}Issuer",
        f"{DS}Signature",
        f"{SAMLP}Status",
        f"{SAML}Assertion",
        f"{SAML}EncryptedAssertion",
    ),
    f"{SAMLP}Status": _form("", f"{SAMLP}StatusCode", f"{SAMLP}StatusMessage"),
    f"{SAMLP}StatusCode": _form("Value", f"{SAMLP}StatusCode"),
    f"{SAMLP}StatusMessage": _text(),
}
_ASSERTION = {
    f"{SAML}Issuer": _text(_NAME),
    f"{SAML}Assertion": _form(
        "ID Version IssueInstant",
        f"{SAML}Issuer",
        f"{DS}Signature",
        f"{SAML}Subject",
        f"{SAML}Conditions",
        f"{SAML}AuthnStatement",
        f"{SAML}AttributeStatement",
    ),
    f"{SAML}Subject": _form("", f"{SAML}NameID", f"{SAML}SubjectConfirmation"),
    f"{SAML}NameID": _text(_NAME),
    f"{SAML}SubjectConfirmation": _form("Method", f"{SAML}SubjectConfirmationData"),
    f"{SAML}SubjectConfirmationData": _form("NotOnOrAfter Recipient InResponseTo Address"),
    f"{SAML}Conditions": _form("NotBefore NotOnOrAfter", f"{SAML}AudienceRestriction", f"{SAML}OneTimeUse"),
    f"{SAML}AudienceRestriction": _form("", f"{SAML}Audience"),
    f"{SAML}Audience": _text(),
    f"{SAML}OneTimeUse": _form(),
    f"{SAML}AuthnStatement": _form(
        "AuthnInstant SessionIndex SessionNotOnOrAfter", f"{SAML}SubjectLocality", f"{SAML}AuthnContext"
    ),
    f"{SAML}SubjectLocality": _form("Address DNSName"),
    f"{SAML}AuthnContext": _form("", f"{SAML}AuthnContextClassRef", f"{SAML}AuthenticatingAuthority"),
    f"{SAML}AuthnContextClassRef": _text(),
    f"{SAML}AuthenticatingAuthority": _text(),
    f"{SAML}AttributeStatement": _form("", f"{SAML}Attribute"),
    f"{SAML}Attribute": _form("Name NameFormat FriendlyName", f"{SAML}AttributeValue"),
    f"{SAML}AttributeValue": _text(f"{XSI}type {XSI}nil"),
}
_SIGNATURE = {
    f"{DS}Signature": _form("Id", f"{DS}SignedInfo", f"{DS}SignatureValue", f"{DS}KeyInfo"),
    f"{DS}SignedInfo": _form("Id", f"{DS}CanonicalizationMethod", f"{DS}SignatureMethod", f"{DS}Reference"),
    f"{DS}CanonicalizationMethod": _form("Algorithm", f"{EC}InclusiveNamespaces"),
    f"{DS}SignatureMethod": _form("Algorithm"),
    f"{DS}Reference": _form("Id URI Type", f"{DS}Transforms", f"{DS}DigestMethod", f"{DS}DigestValue"),
    f"{DS}Transforms": _form("", f"{DS}Transform"),
    f"{DS}Transform": _form("Algorithm", f"{EC}InclusiveNamespaces"),
    f"{EC}InclusiveNamespaces": _form("PrefixList"),
    f"{DS}DigestMethod": _form("Algorithm"),
    f"{DS}DigestValue": _text(),
    f"{DS}SignatureValue": _text("Id"),
    f"{DS}KeyInfo": _form(
        "Id", f"{DS}KeyName", f"{DS}KeyValue", f"{DS}X509Data", f"{DS}RetrievalMethod", f"{XENC}EncryptedKey"
    ),
    f"{DS}KeyName": _text(),
    f"{DS}KeyValue": _form("", f"{DS}RSAKeyValue", f"{DS11}ECKeyValue"),
    f"{DS}RSAKeyValue": _form("", f"{DS}Modulus", f"{DS}Exponent"),
    f"{DS}Modulus": _text(),
    f"{DS}Exponent": _text(),
    f"{DS11}ECKeyValue": _form("Id", f"{DS11}NamedCurve", f"{DS11}PublicKey"),
    f"{DS11}NamedCurve": _form("URI"),
    f"{DS11}PublicKey": _text(),
    f"{DS}X509Data": _form("", f"{DS}X509Certificate", f"{DS}X509SubjectName", f"{DS}X509IssuerSerial", f"{DS}X509SKI"),
    f"{DS}X509Certificate": _text(),
    f"{DS}X509SubjectName": _text(),
    f"{DS}X509SKI": _text(),
    f"{DS}X509IssuerSerial": _form("", f"{DS}X509IssuerName", f"{DS}X509SerialNumber"),
    f"{DS}X509IssuerName": _text(),
    f"{DS}X509SerialNumber": _text(),
    f"{DS}RetrievalMethod": _form("URI Type"),
}
_ENCRYPTION = {
    f"{SAML}EncryptedAssertion": _form("", f"{XENC}EncryptedData", f"{XENC}EncryptedKey"),
    f"{XENC}EncryptedData": _form("Id Type MimeType", f"{XENC}EncryptionMethod", f"{DS}KeyInfo", f"{XENC}CipherData"),
    f"{XENC}EncryptedKey": _form(
        "Id Recipient", f"{XENC}EncryptionMethod", f"{DS}KeyInfo", f"{XENC}CipherData", f"{XENC}ReferenceList"
    ),
    f"{XENC}EncryptionMethod": _form("Algorithm", f"{DS}DigestMethod", f"{XENC11}MGF"),
    f"{XENC11}MGF": _form("Algorithm"),
    f"{XENC}CipherData": _form("", f"{XENC}CipherValue"),
    f"{XENC}CipherValue": _Form(frozenset(), frozenset(), True),
    f"{XENC}ReferenceList": _form("", f"{XENC}DataReference"),
    f"{XENC}DataReference": _form("URI"),
}
_TABLE = _PROTOCOL | _ASSERTION | _SIGNATURE | _ENCRYPTION
_SEVERAL = frozenset(
    [
        f"{SAML}{name}"
        for name in "Attribute AttributeValue Audience AudienceRestriction AuthenticatingAuthority".split()
    ]
    + [f"{DS}{name}" for name in "Transform X509Data X509Certificate".split()]
)


def check(root: Any, expected: str) -> None:
    """Refuses a tree whose root is not `expected`, or that has a part which the table does not have there.

    Raises `SamlRefused`. No id may stand twice, whatever its attribute is called.
    """
    if root.tag != expected:
        raise SamlRefused(Reason.ELEMENT)
    seen: set[str] = set()
    for element in root.iter():
        form = _TABLE.get(element.tag) if isinstance(element.tag, str) else None
        if form is None:
            raise SamlRefused(Reason.ELEMENT)
        _check_attributes(element, form, seen)
        _check_children(element, form)
        _check_text(element, form)


def _check_attributes(element: Any, form: _Form, seen: set[str]) -> None:
    if not form.attributes.issuperset(element.attrib):
        raise SamlRefused(Reason.ATTRIBUTE)
    for name in _ID_ATTRIBUTES:
        identifier = element.get(name)
        if identifier is None:
            continue
        if not _NCNAME.match(identifier):
            raise SamlRefused(Reason.ID)
        if identifier in seen:
            raise SamlRefused(Reason.ID_TWICE)
        seen.add(identifier)


def _check_children(element: Any, form: _Form) -> None:
    once: set[str] = set()
    for child in element:
        if child.tag not in form.children:
            raise SamlRefused(Reason.ELEMENT)
        if child.tag in once:
            raise SamlRefused(Reason.REPEATED)
        if child.tag not in _SEVERAL:
            once.add(child.tag)
        if child.tail and child.tail.strip():
            raise SamlRefused(Reason.TEXT)


def _check_text(element: Any, form: _Form) -> None:
    text = element.text or ""
    if not form.text and text.strip():
        raise SamlRefused(Reason.TEXT)
    if len(text) > _MAX_TEXT and element.tag != f"{XENC}CipherValue":
        raise SamlRefused(Reason.TOO_LARGE)
