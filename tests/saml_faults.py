"""Attacks on how SAML is read, on what it says, and on its encryption.

By CVE: 2017-11427 (comments), 2013-6440 (XXE), 2025-25291 and 2025-25292 (one document, two readings).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import saml_world as w
from saml_attacks import EVIL, HONEST, Attack, edited, evil_name, said, swap
from troth.identity.sso.saml.refusal import Reason


def _bomb(text: str) -> str:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE r [<!ENTITY e0 "lol">{levels}]>' + text.replace(f">{HONEST}<", ">&e9;<", 1)


def _deep(text: str) -> str:
    nested = "<samlp:StatusCode>" * 60 + "</samlp:StatusCode>" * 60
    return text.replace("</samlp:Status>", nested + "</samlp:Status>", 1)


READING = [
    edited("doctype", Reason.DOCTYPE, lambda t: "<!DOCTYPE samlp:Response>" + t),
    edited("doctype-notation", Reason.DOCTYPE, lambda t: '<!DOCTYPE r [<!NOTATION n PUBLIC "&quot;">]>' + t),
    edited("entity-bomb", Reason.DOCTYPE, _bomb),
    edited(
        "xxe-file",
        Reason.DOCTYPE,
        lambda t: '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + t.replace(HONEST, "&x;", 1),
    ),
    edited("external-dtd", Reason.DOCTYPE, lambda t: '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/evil.dtd">' + t),
    edited(
        "parameter-entity",
        Reason.DOCTYPE,
        lambda t: '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://x/">%p;]>' + t,
    ),
    edited("undeclared-entity", Reason.MALFORMED, swap(HONEST, "&evil;")),
    edited("name-id-comment", Reason.COMMENT, swap(f">{HONEST}<", f">{HONEST}<!---->.evil.example<")),
    edited("name-id-instruction", Reason.INSTRUCTION, swap(f">{HONEST}<", f">{HONEST}<?x y?>.evil.example<")),
    edited("name-id-cdata", Reason.CDATA, swap(f">{HONEST}<", f"><![CDATA[{HONEST}]]><")),
    edited("name-id-element", Reason.ELEMENT, swap(f">{HONEST}<", f">{HONEST}<x/>.evil.example<")),
    edited("attribute-comment", Reason.COMMENT, swap(">staff<", ">admin<!-- -->staff<")),
    edited("comment-outside-of-values", Reason.COMMENT, swap("<samlp:Status>", "<!-- x --><samlp:Status>")),
    edited("instruction-before-root", Reason.INSTRUCTION, lambda t: '<?xml-stylesheet href="x"?>' + t),
    edited("utf-16", Reason.ENCODING, lambda t: t.encode("utf-16")),
    edited("utf-7-said", Reason.ENCODING, lambda t: '<?xml version="1.0" encoding="utf-7"?>' + t),
    edited("latin-1-said", Reason.ENCODING, lambda t: '<?xml version="1.0" encoding="ISO-8859-1"?>' + t),
    edited("invalid-utf-8", Reason.ENCODING, lambda t: t.encode().replace(b"ada@", b"ad\xff@", 1)),
    edited("two-roots", Reason.MALFORMED, lambda t: t + t),
    edited("cut-off", Reason.MALFORMED, lambda t: t[:-20]),
    edited("too-large", Reason.TOO_LARGE, lambda t: t + " " * (1 << 18)),
    edited("too-deep", Reason.TOO_DEEP, _deep),
    edited("too-many-elements", Reason.TOO_MANY, swap("<samlp:Status>", "<samlp:Status/>" * 4001 + "<samlp:Status>")),
    edited(
        "too-many-attributes",
        Reason.TOO_MANY,
        swap("<samlp:Status>", "<samlp:Status " + " ".join(f'a{n}="x"' for n in range(40)) + ">"),
    ),
    edited("other-root", Reason.ELEMENT, lambda t: re.sub(r".*(<saml:Assertion .*</saml:Assertion>).*", r"\1", t)),
    edited(
        "inclusion",
        Reason.ELEMENT,
        swap("<samlp:Status>", '<i:include xmlns:i="http://www.w3.org/2001/XInclude"/><samlp:Status>'),
    ),
    edited("text-between", Reason.TEXT, swap("<samlp:Status>", "eve<samlp:Status>")),
    edited("foreign-attribute", Reason.ATTRIBUTE, swap("<samlp:Status>", '<samlp:Status x="1">')),
    edited("xml-id", Reason.ATTRIBUTE, swap("<samlp:Status>", '<samlp:Status xml:id="_assertion1">')),
    edited("xml-base", Reason.ATTRIBUTE, swap("<saml:Subject>", '<saml:Subject xml:base="http://evil.example/">')),
    edited("prefixed-id", Reason.ATTRIBUTE, swap(' ID="_assertion1"', ' saml:ID="_assertion1"')),
    edited("id-twice", Reason.ID_TWICE, swap('ID="_response1"', 'ID="_assertion1"')),
    edited("id-twice-by-other-name", Reason.ID_TWICE, swap("<ds:KeyInfo>", '<ds:KeyInfo Id="_assertion1">')),
    edited("id-attribute-twice", Reason.MALFORMED, swap('ID="_assertion1"', 'ID="_assertion1" ID="_evil"')),
    edited("id-not-a-name", Reason.ID, swap('ID="_response1"', 'ID="a b"')),
    edited(
        "foreign-namespace",
        Reason.ELEMENT,
        swap('xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"', 'xmlns:saml="urn:evil"', 2),
    ),
    edited("namespace-of-saml-1", Reason.ELEMENT, swap("SAML:2.0:assertion", "SAML:1.0:assertion", 2)),
    edited("prefix-bound-anew", Reason.ELEMENT, swap("<saml:Subject>", '<saml:Subject xmlns:saml="urn:evil">')),
    edited("namespace-undone", Reason.ELEMENT, swap("<samlp:Status>", '<Status xmlns=""/><samlp:Status>')),
]

_LONG = f'<saml:Attribute Name="a"><saml:AttributeValue>{"x" * 2000}</saml:AttributeValue></saml:Attribute>'
_DECISION = '<saml:AuthzDecisionStatement Resource="x" Decision="Permit"/>'
SAID = [
    said("issuer-other", Reason.ISSUER, provider="https://evil.example/metadata"),
    said("issuer-missing", Reason.ISSUER, provider=None, response_issuer=None),
    said("issuer-of-response-other", Reason.ISSUER, response_issuer="https://evil.example/metadata"),
    said("issuer-with-blank", Reason.ISSUER, provider=w.PROVIDER + " "),
    said("status-denied", Reason.STATUS, status="urn:oasis:names:tc:SAML:2.0:status:Responder"),
    said("version", Reason.VERSION, version="1.1"),
    said("destination-other", Reason.DESTINATION, destination="https://other.example/acs"),
    said("destination-missing", Reason.DESTINATION, destination=None),
    said("destination-longer", Reason.DESTINATION, destination=w.ACS + "/x"),
    said("recipient-other", Reason.RECIPIENT, recipient="https://other.example/acs"),
    said("recipient-missing", Reason.RECIPIENT, recipient=None),
    said("audience-other", Reason.AUDIENCE, audience="https://other.example/metadata"),
    said("audience-missing", Reason.AUDIENCE, audience=None),
    said(
        "audience-of-two-restrictions",
        Reason.AUDIENCE,
        conditions_extra="<saml:AudienceRestriction><saml:Audience>https://x.example</saml:Audience></saml:AudienceRestriction>",
    ),
    said("unsolicited", Reason.UNSOLICITED, response_to=None, confirmation_to=None),
    said("unsolicited-confirmation", Reason.UNSOLICITED, confirmation_to=None),
    said("answer-to-another-request", Reason.UNSOLICITED, response_to="_request2", confirmation_to="_request2"),
    said("confirmation-of-another-request", Reason.UNSOLICITED, confirmation_to="_request2"),
    said("holder-of-key", Reason.CONFIRMATION, method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
    said("sender-vouches", Reason.CONFIRMATION, method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
    said("confirmation-over", Reason.CONFIRMATION_OVER, confirmation_until=w.moment(-61)),
    said("confirmation-without-end", Reason.TIME, confirmation_until=None),
    said("confirmation-with-a-beginning", Reason.ATTRIBUTE, confirmation_from=w.moment(-5)),
    said("not-yet-valid", Reason.NOT_YET, not_before=w.moment(62)),
    said("expired", Reason.OVER, not_on_or_after=w.moment(-61)),
    said("without-end", Reason.TIME, not_on_or_after=None),
    said("valid-for-a-year", Reason.TIME, not_on_or_after=w.moment(365 * 86400)),
    said("issued-long-ago", Reason.STALE, issued=w.moment(-400)),
    said("issued-in-the-future", Reason.NOT_YET, issued=w.moment(90)),
    said("authenticated-yesterday", Reason.AUTHENTICATION_OLD, authenticated=w.moment(-86400)),
    said("authenticated-tomorrow", Reason.NOT_YET, authenticated=w.moment(86400)),
    said("session-over", Reason.SESSION_OVER, session_until=w.moment(-1)),
    said("no-authentication", Reason.MISSING, authenticated=None),
    said("time-with-offset", Reason.TIME, issued="2026-11-22T14:00:00+02:00"),
    said("time-that-is-none", Reason.TIME, issued="2026-13-22T14:00:00Z"),
    said("name-id-missing", Reason.MISSING, name_id=None),
    said("name-id-empty", Reason.NAME_ID, name_id=""),
    said("name-id-blank", Reason.NAME_ID, name_id=HONEST + " "),
    said("name-id-two-lines", Reason.NAME_ID, name_id=HONEST + "\n" + EVIL),
    said("name-id-invisible", Reason.NAME_ID, name_id="ada\u200b@customer.example"),
    said("name-id-too-long", Reason.NAME_ID, name_id="a" * 300),
    said(
        "attribute-too-long",
        Reason.TOO_LARGE,
        attributes=f'<saml:Attribute Name="a"><saml:AttributeValue>{"x" * 2000}</saml:AttributeValue></saml:Attribute>',
    ),
    said("condition-unknown", Reason.ELEMENT, conditions_extra='<saml:ProxyRestriction Count="0"/>'),
    said(
        "decision-statement",
        Reason.ELEMENT,
        assertion_extra=_DECISION,
    ),
    said("two-statements", Reason.REPEATED, assertion_extra="<saml:AttributeStatement/>"),
    said("encrypted-name", Reason.ELEMENT, name_id=None, attributes="", assertion_extra="<saml:EncryptedID/>"),
]


def _with_encrypted(inside: str, **changes: Any) -> str:
    return w.response_text(w.Facts(), w.encrypted(inside, **changes))


def _signed_assertion() -> str:
    return w.signed(w.assertion_text(w.Facts()))


def _flipped(text: str) -> str:
    """One bit of the last ciphertext changed."""
    values = re.findall(r"<xenc:CipherValue>([^<]+)<", text)
    last = values[-1]
    return text.replace(last, last[:40] + ("A" if last[40] != "A" else "B") + last[41:])


def _cbc_response(facts: w.Facts | None = None) -> str:
    """CBC is taken inside of a signed Response only."""
    return w.signed(w.response_text(facts or w.Facts(), w.encrypted(_signed_assertion(), algorithm="cbc")))


def _sealed(name: str, reason: Reason, faulty: Callable[[], str]) -> Attack:
    return Attack(name, reason, faulty, w.signed_and_encrypted)


ENCRYPTION = [
    _sealed("encrypted-unsigned", Reason.UNSIGNED, lambda: _with_encrypted(w.assertion_text(w.Facts()))),
    _sealed("encrypted-forgery", Reason.DIGEST, lambda: _with_encrypted(evil_name(_signed_assertion()))),
    _sealed("encrypted-to-another", Reason.DECRYPTION, lambda: _with_encrypted(_signed_assertion(), to="other")),
    _sealed("key-by-pkcs1", Reason.ENCRYPTION, lambda: _with_encrypted(_signed_assertion(), wrap="rsa-1_5")),
    Attack(
        "cbc-unsigned-response",
        Reason.ENCRYPTION,
        lambda: _with_encrypted(_signed_assertion(), algorithm="cbc"),
        _cbc_response,
    ),
    edited("ciphertext-changed", Reason.DECRYPTION, _flipped, w.signed_and_encrypted),
    edited("ciphertext-changed-in-signed-response", Reason.DIGEST, _flipped, _cbc_response),
    _sealed("two-assertions-encrypted", Reason.MALFORMED, lambda: _with_encrypted(_signed_assertion() * 2)),
    _sealed("response-encrypted", Reason.ELEMENT, lambda: _with_encrypted(w.response_signed())),
    _sealed("doctype-encrypted", Reason.DOCTYPE, lambda: _with_encrypted("<!DOCTYPE x>" + _signed_assertion())),
    _sealed("comment-encrypted", Reason.COMMENT, lambda: _with_encrypted(_signed_assertion() + "<!-- -->")),
    edited(
        "plain-beside-encrypted",
        Reason.REPEATED,
        lambda t: t.replace(
            "<saml:EncryptedAssertion>", w.assertion_text(w.Facts(name_id=EVIL)) + "<saml:EncryptedAssertion>"
        ),
        w.signed_and_encrypted,
    ),
    edited(
        "cipher-by-reference",
        Reason.ELEMENT,
        lambda t: re.sub(
            r"<xenc:CipherValue>[^<]+</xenc:CipherValue>", '<xenc:CipherReference URI="http://127.0.0.1:9/"/>', t
        ),
        w.signed_and_encrypted,
    ),
    edited(
        "two-keys",
        Reason.REPEATED,
        lambda t: re.sub(r"(<xenc:EncryptedKey>.*?</xenc:EncryptedKey>)", r"\1\1", t),
        w.signed_and_encrypted,
    ),
    edited("no-assertion", Reason.MISSING, lambda t: re.sub(r"<saml:Assertion .*</saml:Assertion>", "", t)),
]
