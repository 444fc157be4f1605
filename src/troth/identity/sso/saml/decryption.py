"""An EncryptedAssertion opened (XML Encryption 1.1): the key by RSA-OAEP, the content by AES-GCM.

AES-CBC can be altered unseen, and a service that tells good from bad padding deciphers for strangers (Jager and
Somorovsky, "How to Break XML Encryption", CCS 2011). It is taken only when a signature that already held covers the
ciphertext. RSA PKCS #1 v1.5 is never taken.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from troth.identity.sso.saml.names import AES_CBC, AES_GCM, DS, OAEP_MGF1P, XENC, XENC11
from troth.identity.sso.saml.names import OAEP as OAEP_11
from troth.identity.sso.saml.refusal import Reason, SamlRefused

_BLOCK = 16
_XML_ELEMENT = f"{XENC[1:-1]}Element"
# The hash inside OAEP needs no resistance to collisions; SHA-1 is its default in both standards.
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": hashes.SHA1,
    "http://www.w3.org/2001/04/xmlenc#sha256": hashes.SHA256,
    "http://www.w3.org/2001/04/xmlenc#sha512": hashes.SHA512,
    "http://www.w3.org/2009/xmlenc11#mgf1sha1": hashes.SHA1,
    "http://www.w3.org/2009/xmlenc11#mgf1sha256": hashes.SHA256,
    "http://www.w3.org/2009/xmlenc11#mgf1sha512": hashes.SHA512,
}


def decrypted(encrypted: Any, keys: Sequence[RSAPrivateKey], *, ciphertext_signed: bool) -> bytes:
    """The bytes inside `encrypted`, an EncryptedAssertion that the grammar checked; still a stranger's bytes.

    Raises `SamlRefused`: `encryption-algorithm`, `decryption` (one word for every failure), `missing-part`.
    """
    data = encrypted.find(f"{XENC}EncryptedData")
    wrapped = encrypted.findall(f".//{XENC}EncryptedKey")
    if data is None or len(wrapped) != 1:
        raise SamlRefused(Reason.MISSING)
    if data.get("Type") not in (None, _XML_ELEMENT):
        raise SamlRefused(Reason.ENCRYPTION)
    algorithm = _method(data).get("Algorithm")
    sizes = AES_GCM | AES_CBC if ciphertext_signed else AES_GCM
    if algorithm not in sizes:
        raise SamlRefused(Reason.ENCRYPTION)
    key = _content_key(wrapped[0], keys, sizes[algorithm])
    content = _ciphertext(data)
    return _gcm(key, content) if algorithm in AES_GCM else _cbc(key, content)


def _content_key(wrapped: Any, keys: Sequence[RSAPrivateKey], size: int) -> bytes:
    padding, sealed = _oaep(_method(wrapped)), _ciphertext(wrapped)
    for key in keys:
        try:
            opened = key.decrypt(sealed, padding)
        except ValueError:
            continue
        if len(opened) == size:
            return opened
    raise SamlRefused(Reason.DECRYPTION)


def _oaep(method: Any) -> OAEP:
    algorithm, digest, mask = method.get("Algorithm"), method.find(f"{DS}DigestMethod"), method.find(f"{XENC11}MGF")
    if algorithm not in (OAEP_MGF1P, OAEP_11) or (mask is not None and algorithm == OAEP_MGF1P):
        raise SamlRefused(Reason.ENCRYPTION)
    return OAEP(MGF1(_hash(mask)), _hash(digest), None)


def _hash(named: Any) -> hashes.HashAlgorithm:
    chosen = hashes.SHA1 if named is None else _HASHES.get(named.get("Algorithm", ""))
    if chosen is None:
        raise SamlRefused(Reason.ENCRYPTION)
    return chosen()


def _gcm(key: bytes, content: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(content[:12], content[12:], None)
    except (InvalidTag, ValueError) as error:
        raise SamlRefused(Reason.DECRYPTION) from error


def _cbc(key: bytes, content: bytes) -> bytes:
    if len(content) < 2 * _BLOCK or len(content) % _BLOCK:
        raise SamlRefused(Reason.DECRYPTION)
    opening = Cipher(AES(key), CBC(content[:_BLOCK])).decryptor()
    padded = opening.update(content[_BLOCK:]) + opening.finalize()
    if not 1 <= padded[-1] <= _BLOCK:  # section 5.2.1: the last byte counts, the others are free
        raise SamlRefused(Reason.DECRYPTION)
    return padded[: -padded[-1]]


def _method(parent: Any) -> Any:
    found = parent.find(f"{XENC}EncryptionMethod")
    if found is None:
        raise SamlRefused(Reason.MISSING)
    return found


def _ciphertext(parent: Any) -> bytes:
    text = parent.findtext(f"{XENC}CipherData/{XENC}CipherValue")
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SamlRefused(Reason.DECRYPTION) from error
