"""One enveloped XML signature: by a pinned certificate, over the element that holds it, and over nothing else.

XML Signature 1.1; SAML 2.0 Core section 5.4. What is read afterwards is the element that signxml built from the bytes
whose digest it compared, never one that was found again in the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import Certificate

from troth.identity.sso.saml import libraries
from troth.identity.sso.saml.names import DIGESTS, DS, ENVELOPED, EXCLUSIVE, SIGNATURES
from troth.identity.sso.saml.parsing import parser
from troth.identity.sso.saml.refusal import Reason, SamlRefused


def verified(document: bytes, element: Any, certificates: Sequence[Certificate], now: datetime, place: str = "") -> Any:
    """The signed element as it was signed, without its signature.

    `document` holds `element` (already checked by the grammar) at `place`, a path below the root that ends with a
    slash. Raises `SamlRefused`.
    """
    signature = element.find(f"{DS}Signature")
    if signature is None:
        raise SamlRefused(Reason.UNSIGNED)
    _check_words(signature, element.get("ID"))
    current = [one for one in certificates if one.not_valid_before_utc <= now <= one.not_valid_after_utc]
    if not current:
        raise SamlRefused(Reason.CERTIFICATE)
    reason = Reason.SIGNATURE
    for certificate in current:
        signed, failed = _by(certificate, document, place, now)
        if signed is not None:
            if signed.tag != element.tag or signed.get("ID") != element.get("ID"):
                raise SamlRefused(Reason.REFERENCE)
            return signed
        reason = failed if failed is Reason.DIGEST else reason
    raise SamlRefused(reason)


def _by(certificate: Certificate, document: bytes, place: str, now: datetime) -> tuple[Any, Reason]:
    package, lxml = libraries.signxml(), libraries.etree()
    wanted = package.SignatureConfiguration(
        location=f"./{place}",
        expect_references=1,
        signature_methods=frozenset(one for one in package.SignatureMethod if one.value in SIGNATURES),
        digest_algorithms=frozenset(one for one in package.DigestAlgorithm if one.value in DIGESTS),
        ignore_ambiguous_key_info=True,  # no key of the message counts, so none can contradict
        verification_time=now,
    )
    try:
        result = package.XMLVerifier().verify(
            document, x509_cert=certificate, parser=parser(), id_attribute="ID", expect_config=wanted
        )
    except package.InvalidDigest:
        return None, Reason.DIGEST
    except (package.exceptions.SignXMLException, UnsupportedAlgorithm):
        return None, Reason.SIGNATURE
    except (lxml.LxmlError, ValueError, TypeError, AttributeError, KeyError):  # nonsense where base64 or names belong
        return None, Reason.SIGNATURE
    return result.signed_xml, Reason.SIGNATURE


def _check_words(signature: Any, identifier: str | None) -> None:
    """The signature says what we accept, before any of it is computed."""
    information = signature.find(f"{DS}SignedInfo")
    reference = _part(information, "Reference")
    if _said(information, "CanonicalizationMethod") != EXCLUSIVE:
        raise SamlRefused(Reason.TRANSFORM)
    if _said(information, "SignatureMethod") not in SIGNATURES or _said(reference, "DigestMethod") not in DIGESTS:
        raise SamlRefused(Reason.ALGORITHM)
    if [one.get("Algorithm") for one in _part(reference, "Transforms")] != [ENVELOPED, EXCLUSIVE]:
        raise SamlRefused(Reason.TRANSFORM)
    if not identifier or reference.get("URI") != f"#{identifier}":
        raise SamlRefused(Reason.REFERENCE)


def _part(parent: Any, name: str) -> Any:
    found = None if parent is None else parent.find(f"{DS}{name}")
    if found is None:
        raise SamlRefused(Reason.MISSING)
    return found


def _said(parent: Any, name: str) -> str | None:
    algorithm: str | None = _part(parent, name).get("Algorithm")
    return algorithm
