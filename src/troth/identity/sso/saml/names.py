"""Names of SAML 2.0, XML Signature and XML Encryption."""

from __future__ import annotations

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
DS11 = "{http://www.w3.org/2009/xmldsig11#}"
XENC = "{http://www.w3.org/2001/04/xmlenc#}"
XENC11 = "{http://www.w3.org/2009/xmlenc11#}"
EC = "{http://www.w3.org/2001/10/xml-exc-c14n#}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SIGNATURES = frozenset(
    [f"{_MORE}{key}-sha{bits}" for key in ("rsa", "ecdsa") for bits in (256, 384, 512)]
    + [f"http://www.w3.org/2007/05/xmldsig-more#sha{bits}-rsa-MGF1" for bits in (256, 384, 512)]
)
DIGESTS = frozenset({f"{XENC[1:-1]}sha256", f"{_MORE}sha384", f"{XENC[1:-1]}sha512"})

OAEP_MGF1P = f"{XENC[1:-1]}rsa-oaep-mgf1p"
OAEP = f"{XENC11[1:-1]}rsa-oaep"
AES_GCM = {f"{XENC11[1:-1]}aes{bits}-gcm": bits // 8 for bits in (128, 192, 256)}
AES_CBC = {f"{XENC[1:-1]}aes{bits}-cbc": bits // 8 for bits in (128, 192, 256)}
