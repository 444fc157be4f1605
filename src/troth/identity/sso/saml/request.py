"""Our AuthnRequest by HTTP-Redirect, signed (Core 3.4; Bindings 3.4.4.1: the signature is over the query)."""

from __future__ import annotations

import base64
import zlib
from datetime import datetime
from urllib.parse import quote_plus
from xml.sax.saxutils import escape, quoteattr

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from troth.identity.sso.saml import names

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


def document(identifier: str, sso_url: str, entity: str, acs: str, now: datetime, *, fresh: bool = False) -> bytes:
    """The AuthnRequest as XML. `fresh`: the provider is to see the person anew."""
    force = ' ForceAuthn="true"' if fresh else ""
    return (
        f'<samlp:AuthnRequest xmlns:samlp="{names.SAMLP[1:-1]}" xmlns:saml="{names.SAML[1:-1]}" ID="{identifier}"'
        f' Version="2.0" IssueInstant="{now:%Y-%m-%dT%H:%M:%SZ}" Destination={quoteattr(sso_url)}'
        f' ProtocolBinding="{names.POST}" AssertionConsumerServiceURL={quoteattr(acs)}{force}>'
        f"<saml:Issuer>{escape(entity)}</saml:Issuer>"
        '<samlp:NameIDPolicy AllowCreate="true"/></samlp:AuthnRequest>'
    ).encode()


def address(request: bytes, sso_url: str, state: str, key: RSAPrivateKey) -> str:
    """Where to send the browser."""
    squeezing = zlib.compressobj(9, zlib.DEFLATED, -15)  # raw DEFLATE, RFC 1951
    squeezed = base64.b64encode(squeezing.compress(request) + squeezing.flush()).decode()
    pairs = (("SAMLRequest", squeezed), ("RelayState", state), ("SigAlg", RSA_SHA256))
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in pairs)
    signature = base64.b64encode(key.sign(query.encode(), PKCS1v15(), hashes.SHA256())).decode()
    return f"{sso_url}{'&' if '?' in sso_url else '?'}{query}&Signature={quote_plus(signature)}"
