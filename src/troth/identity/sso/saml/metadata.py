"""Metadata (SAML 2.0 Metadata): ours for the provider, and the provider's as an administrator brings it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.sax.saxutils import quoteattr

from troth.identity.sso.fetching import Reach
from troth.identity.sso.saml import certificates, names
from troth.identity.sso.saml.names import DS, MD
from troth.identity.sso.saml.parsing import parse
from troth.identity.sso.saml.refusal import SamlRefused
from troth.identity.sso.saml.response import utc_time
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Invalid

MEDIA_TYPE = "application/samlmetadata+xml"
_MOST_ADDRESS = 1024


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider says of itself. `valid_until` in epoch milliseconds."""

    entity: str
    sso_url: str
    certificates: tuple[str, ...]
    valid_until: int | None


def read(document: bytes, now: datetime, reach: Reach) -> Provider:
    """A provider's metadata. Its own signature is not looked at: who brings it vouches for it.

    `reach`: where its door may be, as for every provider, though here it is browsers that go there.
    Raises `Invalid`: `saml-metadata`, `saml-metadata-expired`, `saml-certificate`; `Unavailable` (no libraries).
    """
    try:
        root = parse(document, comments=True)
        return _provider(root, now, reach)
    except SamlRefused as error:
        raise _unreadable() from error


def _provider(root: Any, now: datetime, reach: Reach) -> Provider:
    roles = root.findall(f"{MD}IDPSSODescriptor") if root.tag == f"{MD}EntityDescriptor" else []
    entity = root.get("entityID") or ""
    if len(roles) != 1 or not 0 < len(entity) <= _MOST_ADDRESS or entity != entity.strip():
        raise _unreadable()
    if names.PROTOCOL not in roles[0].get("protocolSupportEnumeration", "").split():
        raise _unreadable()
    ends = [utc_time(one, "validUntil") for one in (root, roles[0]) if one.get("validUntil")]
    if ends and min(ends) <= now:
        raise Invalid("This metadata has expired; fetch it anew from the provider.", code="saml-metadata-expired")
    found = certificates.read([text for one in _signing(roles[0]) if (text := one.text)])
    current = [one for one in found if one.not_valid_after_utc > now]
    if not current:
        raise Invalid("Every certificate in this metadata has expired.", code="saml-certificate")
    return Provider(
        entity, _door(roles[0], reach), tuple(map(certificates.shown, current)), epoch_ms(min(ends)) if ends else None
    )


def _signing(role: Any) -> list[Any]:
    described = [one for one in role.findall(f"{MD}KeyDescriptor") if one.get("use") in (None, "signing")]
    return [text for one in described for text in one.iterfind(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")]


def _door(role: Any, reach: Reach) -> str:
    """The address of single sign-on by redirect."""
    for one in role.findall(f"{MD}SingleSignOnService"):
        if one.get("Binding") == names.REDIRECT:
            address = one.get("Location") or ""
            if len(address) <= _MOST_ADDRESS and _safe(address, reach):
                return str(address)
    raise _unreadable()


def _safe(address: str, reach: Reach) -> bool:
    try:
        reach.require_url(address)
    except Invalid:
        return False
    return address.isascii()


def write(entity: str, acs: str, own: Sequence[str]) -> bytes:
    """Our metadata. `own`: base64 of our certificates, the one that signs first; the last one is to encrypt to."""
    signing = "".join(_key("signing", one) for one in own)
    formats = "".join(
        f"<md:NameIDFormat>{one}</md:NameIDFormat>" for one in (names.PERSISTENT, names.EMAIL, names.UNSPECIFIED)
    )
    methods = "".join(f'<md:EncryptionMethod Algorithm="{one}"/>' for one in (*names.AES_GCM, names.OAEP_MGF1P))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<md:EntityDescriptor xmlns:md="{MD[1:-1]}" xmlns:ds="{DS[1:-1]}" entityID={quoteattr(entity)}>'
        '<md:SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true"'
        f' protocolSupportEnumeration="{names.PROTOCOL}">{signing}{_key("encryption", own[-1], methods)}{formats}'
        f'<md:AssertionConsumerService index="0" isDefault="true" Binding="{names.POST}" Location={quoteattr(acs)}/>'
        "</md:SPSSODescriptor></md:EntityDescriptor>\n"
    ).encode()


def _key(use: str, certificate: str, methods: str = "") -> str:
    return (
        f'<md:KeyDescriptor use="{use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}'
        f"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>{methods}</md:KeyDescriptor>"
    )


def _unreadable() -> Invalid:
    return Invalid(
        "Give the SAML 2.0 metadata of one identity provider (EntityDescriptor with IDPSSODescriptor and single sign-on"
        " by HTTP-Redirect at an https address), at most 256 KiB, without DOCTYPE.",
        code="saml-metadata",
    )
