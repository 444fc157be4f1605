"""Encrypted assertions: which algorithms open, and that a rotated key still does."""

from __future__ import annotations

import base64
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from lxml import etree

import saml_world as w
from troth.identity.sso.saml.decryption import decrypted
from troth.identity.sso.saml.refusal import Reason, SamlRefused

XENC, XENC11, DS = w.NS["xenc"], "http://www.w3.org/2009/xmlenc11#", w.NS["ds"]
MGF1P = f"{XENC}rsa-oaep-mgf1p"
PLAIN = b"<a/>"
SHA256 = f'<ds:DigestMethod Algorithm="{XENC}sha256"/><x11:MGF xmlns:x11="{XENC11}" Algorithm="{XENC11}mgf1sha256"/>'


def rsa(name: str) -> RSAPrivateKey:
    private = w.key(name)
    assert isinstance(private, RSAPrivateKey)
    return private


def element(
    content: bytes, sealed: bytes, algorithm: str, wrap: str = f"{XENC}rsa-oaep-mgf1p", inside: str = ""
) -> Any:
    def cipher(value: bytes) -> str:
        text = base64.b64encode(value).decode()
        return f"<e:CipherData><e:CipherValue>{text}</e:CipherValue></e:CipherData>"

    return etree.fromstring(
        f'<r xmlns:e="{XENC}" xmlns:ds="{DS}"><e:EncryptedData><e:EncryptionMethod Algorithm="{algorithm}"/>'
        f'<ds:KeyInfo><e:EncryptedKey><e:EncryptionMethod Algorithm="{wrap}">{inside}</e:EncryptionMethod>'
        f"{cipher(sealed)}</e:EncryptedKey></ds:KeyInfo>{cipher(content)}</e:EncryptedData></r>"
    )


def sealed_key(key: bytes, digest: Any = hashes.SHA1, to: str = "sp") -> bytes:
    return rsa(to).public_key().encrypt(key, OAEP(MGF1(digest()), digest(), None))


def gcm(key: bytes) -> bytes:
    return b"n" * 12 + AESGCM(key).encrypt(b"n" * 12, PLAIN, None)


def refusal(encrypted: Any, *, ciphertext_signed: bool = False) -> Reason:
    with pytest.raises(SamlRefused) as refused:
        decrypted(encrypted, (rsa("sp"),), ciphertext_signed=ciphertext_signed)
    return refused.value.reason


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_gcm_of_every_size_opens(bits: int) -> None:
    key = os.urandom(bits // 8)
    given = element(gcm(key), sealed_key(key), f"{XENC11}aes{bits}-gcm")
    assert decrypted(given, (rsa("sp"),), ciphertext_signed=False) == PLAIN


def test_oaep_with_other_hashes_opens() -> None:
    key = os.urandom(32)
    given = element(gcm(key), sealed_key(key, hashes.SHA256), f"{XENC11}aes256-gcm", f"{XENC11}rsa-oaep", SHA256)
    assert decrypted(given, (rsa("sp"),), ciphertext_signed=False) == PLAIN


def test_while_our_key_rotates_both_open() -> None:
    key = os.urandom(16)
    given = element(gcm(key), sealed_key(key), f"{XENC11}aes128-gcm")
    assert decrypted(given, (rsa("next"), rsa("sp")), ciphertext_signed=False) == PLAIN


def test_a_content_key_of_another_size_is_refused() -> None:
    key = os.urandom(16)
    assert refusal(element(gcm(key), sealed_key(key), f"{XENC11}aes256-gcm")) is Reason.DECRYPTION


@pytest.mark.parametrize(
    ("wrap", "inside"),
    [
        (f"{XENC}rsa-1_5", ""),
        (f"{XENC}rsa-oaep-mgf1p", SHA256),  # its mask is always SHA-1
        (f"{XENC11}rsa-oaep", '<ds:DigestMethod Algorithm="md5"/>'),
    ],
    ids=["pkcs1", "mask-that-may-not-be", "unknown-hash"],
)
def test_other_ways_to_wrap_a_key_are_refused(wrap: str, inside: str) -> None:
    key = os.urandom(16)
    given = element(gcm(key), sealed_key(key), f"{XENC11}aes128-gcm", wrap, inside)
    assert refusal(given) is Reason.ENCRYPTION


@pytest.mark.parametrize(("last", "cut"), [(0, 0), (17, 0), (1, 1)], ids=["no-padding", "too-long", "half-a-block"])
def test_cbc_that_was_padded_badly_is_refused(last: int, cut: int) -> None:
    key, vector = os.urandom(16), b"v" * 16
    sealing = Cipher(AES(key), CBC(vector)).encryptor()
    content = vector + sealing.update(b"x" * 15 + bytes([last])) + sealing.finalize()
    given = element(content[: len(content) - cut], sealed_key(key), f"{XENC}aes128-cbc")
    assert refusal(given, ciphertext_signed=True) is Reason.DECRYPTION
