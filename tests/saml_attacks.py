"""Attacks on SAML signatures: wrapping, smuggled digests, other keys, weaker algorithms.

Signature wrapping: Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012), XSW 1-8.
Others by CVE: 2024-45409, 2025-29774, 2025-29775.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lxml import etree

import saml_world as w
from troth.identity.sso.saml.refusal import Reason

HONEST = "ada@customer.example"
EVIL = "eve@customer.example"
SAML, SAMLP, DS = (f"{{{w.NS[name]}}}" for name in ("saml", "samlp", "ds"))


@dataclass(frozen=True)
class Attack:
    """A document with a fault and the one without it, and what they must fit."""

    name: str
    reason: Reason
    faulty: Callable[[], str | bytes]
    honest: Callable[[], str | bytes] = w.assertion_signed
    fits: Callable[[], dict[str, Any]] = dict
    honest_fits: Callable[[], dict[str, Any]] | None = None


def said(name: str, reason: Reason, **changes: Any) -> Attack:
    """The provider itself, with its true key, says something that does not fit."""
    return Attack(name, reason, lambda: w.assertion_signed(w.Facts(**changes)))


def signed(name: str, reason: Reason, **changes: Any) -> Attack:
    """The signature is made differently; content and key are the provider's unless they are what changes."""
    return Attack(name, reason, lambda: w.assertion_signed(how=w.Signing(**changes)))


def edited(
    name: str, reason: Reason, edit: Callable[[str], str | bytes], shape: Callable[[], str] = w.assertion_signed
) -> Attack:
    """An honest document changed by a stranger."""
    return Attack(name, reason, lambda: edit(shape()), shape)


def swap(old: str, new: str, count: int = 1) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, count)

    return edit


def _tree(change: Callable[[Any], Any]) -> Callable[[str], str]:
    """An edit of the tree: it changes the root in place or returns another root."""

    def edit(text: str) -> str:
        root = etree.fromstring(text)
        made = change(root)
        return str(etree.tostring(root if made is None else made, encoding="unicode"))

    return edit


def _evil_assertion(original: Any) -> Any:
    evil = copy.deepcopy(original)
    evil.set("ID", "_evil")
    evil.find(f"{SAML}Subject/{SAML}NameID").text = EVIL
    for signature in evil.findall(f"{DS}Signature"):
        evil.remove(signature)
    return evil


def _stripped(original: Any) -> Any:
    bare = copy.deepcopy(original)
    for signature in bare.findall(f"{DS}Signature"):
        bare.remove(signature)
    return bare


def _evil_response(root: Any) -> Any:
    evil = _stripped(root)
    evil.set("ID", "_evilresponse")
    evil.find(f"{SAML}Assertion/{SAML}Subject/{SAML}NameID").text = EVIL
    return evil


def _object(*inside: Any) -> Any:
    made = etree.Element(f"{DS}Object")
    made.extend(inside)
    return made


def _xsw1(root: Any) -> Any:
    signature = copy.deepcopy(root.find(f"{DS}Signature"))
    signature.append(_object(_stripped(root)))
    evil = _evil_response(root)
    evil.insert(1, signature)
    return evil


def _xsw2(root: Any) -> Any:
    evil = _evil_response(root)
    evil.insert(1, copy.deepcopy(root.find(f"{DS}Signature")))
    evil.insert(1, _stripped(root))
    return evil


def _xsw3(root: Any) -> None:
    original = root.find(f"{SAML}Assertion")
    original.addprevious(_evil_assertion(original))


def _xsw4(root: Any) -> None:
    original = root.find(f"{SAML}Assertion")
    evil = _evil_assertion(original)
    root.replace(original, evil)
    evil.append(original)


def _xsw5(root: Any) -> None:
    original = root.find(f"{SAML}Assertion")
    evil = _evil_assertion(original)
    evil.insert(1, copy.deepcopy(original.find(f"{DS}Signature")))
    root.replace(original, evil)
    root.append(_stripped(original))


def _xsw6(root: Any) -> None:
    original = root.find(f"{SAML}Assertion")
    evil = _evil_assertion(original)
    signature = copy.deepcopy(original.find(f"{DS}Signature"))
    signature.append(_stripped(original))
    evil.insert(1, signature)
    root.replace(original, evil)


def _xsw7(root: Any) -> None:
    extensions = etree.Element(f"{SAMLP}Extensions")
    extensions.append(_evil_assertion(root.find(f"{SAML}Assertion")))
    root.insert(1, extensions)


def _xsw8(root: Any) -> None:
    original = root.find(f"{SAML}Assertion")
    evil = _evil_assertion(original)
    signature = copy.deepcopy(original.find(f"{DS}Signature"))
    signature.append(_object(_stripped(original)))
    evil.insert(1, signature)
    root.replace(original, evil)


def _evil_last(root: Any) -> None:
    root.append(_evil_assertion(root.find(f"{SAML}Assertion")))


def _evil_with_signature_of_same_id(root: Any) -> None:
    """The evil copy has the id that the signature names; the original stands inside it."""
    original = root.find(f"{SAML}Assertion")
    evil = _evil_assertion(original)
    evil.set("ID", original.get("ID"))
    evil.insert(1, copy.deepcopy(original.find(f"{DS}Signature")))
    root.append(evil)


def _in_advice(root: Any) -> None:
    original = root.find(f"{SAML}Assertion")
    evil = _evil_assertion(original)
    advice = etree.SubElement(evil, f"{SAML}Advice")
    root.replace(original, evil)
    advice.append(original)


def _in_status(root: Any) -> None:
    detail = etree.SubElement(root.find(f"{SAMLP}Status"), f"{SAMLP}StatusDetail")
    detail.append(_evil_assertion(root.find(f"{SAML}Assertion")))


def _in_attribute(root: Any) -> None:
    original = root.find(f"{SAML}Assertion")
    evil = _evil_assertion(original)
    root.replace(original, evil)
    evil.find(f".//{SAML}AttributeValue").append(original)


def _nested_response(root: Any) -> Any:
    evil = _evil_response(root)
    evil.remove(evil.find(f"{SAML}Assertion"))
    evil.append(root)
    return evil


def _moved_signature(root: Any) -> None:
    """The assertion's signature becomes the Response's."""
    assertion = root.find(f"{SAML}Assertion")
    root.insert(1, assertion.find(f"{DS}Signature"))
    assertion.find(f"{SAML}Subject/{SAML}NameID").text = EVIL


WRAPPING = [
    edited("xsw1", Reason.ELEMENT, _tree(_xsw1), w.response_signed),
    edited("xsw2", Reason.ELEMENT, _tree(_xsw2), w.response_signed),
    edited("xsw3", Reason.REPEATED, _tree(_xsw3)),
    edited("xsw4", Reason.ELEMENT, _tree(_xsw4)),
    edited("xsw5", Reason.REPEATED, _tree(_xsw5)),
    edited("xsw6", Reason.ELEMENT, _tree(_xsw6)),
    edited("xsw7", Reason.ELEMENT, _tree(_xsw7)),
    edited("xsw8", Reason.ELEMENT, _tree(_xsw8)),
    edited("xsw3-of-both", Reason.REPEATED, _tree(_xsw3), w.both_signed),
    edited("xsw-evil-last", Reason.REPEATED, _tree(_evil_last)),
    edited("xsw-same-id", Reason.REPEATED, _tree(_evil_with_signature_of_same_id)),
    edited("xsw-in-advice", Reason.ELEMENT, _tree(_in_advice)),
    edited("xsw-in-status-detail", Reason.ELEMENT, _tree(_in_status)),
    edited("xsw-in-attribute-value", Reason.ELEMENT, _tree(_in_attribute)),
    edited("xsw-nested-response", Reason.ELEMENT, _tree(_nested_response), w.response_signed),
    edited("signature-moved-up", Reason.REFERENCE, _tree(_moved_signature)),
]


def _digest_of_evil(text: str) -> str:
    root = etree.fromstring(text)
    return _digest_text(_evil_twin(root.find(f"{SAML}Assertion")))


def _evil_twin(original: Any) -> Any:
    """The evil assertion under the id that was signed."""
    evil = _evil_assertion(original)
    evil.set("ID", original.get("ID"))
    return evil


def _digest_text(element: Any) -> str:
    return base64.b64encode(hashlib.sha256(w.canonical(element)).digest()).decode()


def evil_name(text: str) -> str:
    return swap(f">{HONEST}</saml:NameID>", f">{EVIL}</saml:NameID>")(text)


def _smuggled(before: str, after: str) -> Callable[[str], str]:
    """CVE-2024-45409: a second DigestValue, of the evil assertion, where a careless search finds it first."""

    def edit(text: str) -> str:
        smuggled = f'{before}<ds:DigestValue xmlns:ds="{w.NS["ds"]}">{_digest_of_evil(text)}</ds:DigestValue>{after}'
        return evil_name(text).replace("<samlp:Status>", f"{smuggled}<samlp:Status>", 1)

    return edit


def _digest_comment(text: str) -> str:
    """CVE-2025-29775: the digest that is signed stands in a comment, the one of the evil assertion beside it."""
    digest = re.search(r"<ds:DigestValue>([^<]+)<", text)
    assert digest is not None
    fooled = f"<ds:DigestValue><!--{digest[1]}-->{_digest_of_evil(text)}</ds:DigestValue>"
    return evil_name(text).replace(f"<ds:DigestValue>{digest[1]}</ds:DigestValue>", fooled)


def _two_signed_infos(first: bool) -> Callable[[str], str]:
    """CVE-2025-29774: one SignedInfo for the key, another for the digest."""

    def edit(text: str) -> str:
        honest = re.search(r"<ds:SignedInfo.*?</ds:SignedInfo>", text)
        assert honest is not None
        evil = re.sub(r"(<ds:DigestValue>)[^<]+", rf"\g<1>{_digest_of_evil(text)}", honest[0])
        pair = evil + honest[0] if first else honest[0] + evil
        return evil_name(text).replace(honest[0], pair)

    return edit


def _new_digest(text: str) -> str:
    return re.sub(r"(<ds:DigestValue>)[^<]+", rf"\g<1>{_digest_of_evil(text)}", evil_name(text))


SIGNATURES = [
    edited("content-changed", Reason.DIGEST, evil_name),
    edited("content-changed-in-signed-response", Reason.DIGEST, evil_name, w.response_signed),
    edited("digest-recomputed", Reason.SIGNATURE, _new_digest),
    edited("signature-removed", Reason.UNSIGNED, lambda text: re.sub(r"<ds:Signature .*?</ds:Signature>", "", text)),
    edited("signature-emptied", Reason.SIGNATURE, lambda t: re.sub(r"(<ds:SignatureValue>)[^<]+", r"\1", t)),
    edited("signature-not-base64", Reason.SIGNATURE, lambda t: re.sub(r"(<ds:SignatureValue>)[^<]+", r"\1???", t)),
    edited("digest-smuggled", Reason.ELEMENT, _smuggled("", "")),
    edited("digest-smuggled-in-extensions", Reason.ELEMENT, _smuggled("<samlp:Extensions>", "</samlp:Extensions>")),
    edited("digest-comment", Reason.COMMENT, _digest_comment),
    edited("two-signed-infos-evil-first", Reason.REPEATED, _two_signed_infos(first=True)),
    edited("two-signed-infos-evil-last", Reason.REPEATED, _two_signed_infos(first=False)),
    edited(
        "two-digest-values",
        Reason.REPEATED,
        lambda t: t.replace(
            "<ds:DigestValue>", f"<ds:DigestValue>{_digest_of_evil(t)}</ds:DigestValue><ds:DigestValue>", 1
        ),
    ),
    edited(
        "two-signatures-on-one",
        Reason.REPEATED,
        lambda t: re.sub(r"(<ds:Signature .*?</ds:Signature>)", r"\1\1", t, count=1),
    ),
    edited(
        "one-of-both-signatures-broken",
        Reason.DIGEST,
        lambda t: w.signed(evil_name(w.assertion_signed())),
        w.both_signed,
    ),
    signed("other-key-shown-in-key-info", Reason.SIGNATURE, key="stranger"),
    signed("other-key-under-the-right-certificate", Reason.SIGNATURE, key="stranger", key_info=w.key_info("idp")),
    signed("elliptic-key-of-a-stranger", Reason.SIGNATURE, key="ec-stranger", method=w.ECDSA_SHA256),
    signed("hmac-with-the-public-key", Reason.ALGORITHM, method=w.HMAC_SHA256, secret=w.public_pem("idp")),
    signed("rsa-said-to-be-hmac", Reason.ALGORITHM, method="http://www.w3.org/2000/09/xmldsig#hmac-sha1", secret=b"x"),
    signed("rsa-sha1", Reason.ALGORITHM, method=w.RSA_SHA1),
    signed("sha1-digest", Reason.ALGORITHM, digest=w.SHA1),
    edited("algorithm-none", Reason.ALGORITHM, swap(w.RSA_SHA256, "none")),
    edited("algorithm-swapped", Reason.SIGNATURE, swap(w.RSA_SHA256, w.ECDSA_SHA256)),
    edited("digest-algorithm-swapped", Reason.SIGNATURE, swap(w.SHA256, "http://www.w3.org/2001/04/xmlenc#sha512")),
    signed("canonical-with-comments", Reason.TRANSFORM, canonical=w.EXCLUSIVE + "WithComments"),
    signed("canonical-inclusive", Reason.TRANSFORM, canonical=w.INCLUSIVE),
    signed("transform-with-comments", Reason.TRANSFORM, transforms=(w.ENVELOPED, w.EXCLUSIVE + "WithComments")),
    signed("transform-inclusive", Reason.TRANSFORM, transforms=(w.ENVELOPED, w.INCLUSIVE)),
    signed("transform-none", Reason.TRANSFORM, transforms=()),
    signed("transform-enveloped-only", Reason.TRANSFORM, transforms=(w.ENVELOPED,)),
    signed("transform-order", Reason.TRANSFORM, transforms=(w.EXCLUSIVE, w.ENVELOPED)),
    signed("transform-xslt", Reason.TRANSFORM, transforms=("http://www.w3.org/TR/1999/REC-xslt-19991116",)),
    signed(
        "transform-xpath", Reason.TRANSFORM, transforms=(w.ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116")
    ),
    signed("transform-base64", Reason.TRANSFORM, transforms=(w.ENVELOPED, "http://www.w3.org/2000/09/xmldsig#base64")),
    signed("reference-whole-document", Reason.REFERENCE, uri=""),
    signed("reference-elsewhere", Reason.REFERENCE, uri="#_response1"),
    signed("reference-outside", Reason.REFERENCE, uri="https://evil.example/assertion.xml"),
    signed("reference-xpointer", Reason.REFERENCE, uri="#xpointer(id('_assertion1'))"),
    signed("two-references", Reason.REPEATED, references=2),
    signed("no-reference", Reason.MISSING, references=0),
    Attack(
        "certificate-over",
        Reason.CERTIFICATE,
        w.assertion_signed,
        fits=lambda: {"certificates": (w.certificate("idp", until=w.NOW - timedelta(days=1)),)},
        honest_fits=dict,
    ),
    Attack(
        "certificate-rotated-away",
        Reason.SIGNATURE,
        w.assertion_signed,
        fits=lambda: {"certificates": (w.certificate("next"),)},
        honest_fits=lambda: {"certificates": (w.certificate("next"), w.certificate("idp"))},
    ),
]
