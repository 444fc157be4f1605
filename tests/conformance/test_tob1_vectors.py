"""The published TOB1 vectors, opened and made again; and a second reader written from docs/reference/tob1.md alone."""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.kernel.data_class import DataClass
from troth.vault import framing

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors" / "tob1.json").read_text())
each = pytest.mark.parametrize("vector", VECTORS, ids=[one["name"] for one in VECTORS])


@dataclass(frozen=True)
class Unit:
    id: bytes
    generation: int
    key: bytes


def plain(vector: dict[str, Any]) -> bytes:
    return hashlib.shake_128(vector["plaintext_shake128_of"].encode()).digest(vector["plaintext_size"])


def sealed_again(vector: dict[str, Any]) -> tuple[framing.Facts, Unit, bytes]:
    read = {name: bytes.fromhex(vector[name]) for name in ("tenant", "object", "unit", "unit_key")}
    facts = framing.Facts(
        vector["jurisdiction"], DataClass(vector["class"]), read["tenant"], read["object"], vector["version"]
    )
    unit = Unit(read["unit"], vector["generation"], read["unit_key"])
    fresh = framing._Randomness(*(bytes.fromhex(vector[name]) for name in ("data_key", "salt", "wrap_nonce")))
    return facts, unit, framing._seal(facts, unit, plain(vector), fresh)


@each
def test_sealing_gives_the_published_bytes(vector: dict[str, Any]) -> None:
    _, _, sealed = sealed_again(vector)
    assert sealed[:176].hex() == vector["header"]
    assert (len(sealed), hashlib.sha256(sealed).hexdigest()) == (vector["sealed_size"], vector["sealed_sha256"])
    if vector["sealed"]:
        assert sealed.hex() == vector["sealed"]


@each
def test_opening_gives_the_plaintext(vector: dict[str, Any]) -> None:
    facts, unit, sealed = sealed_again(vector)
    assert framing.open(sealed, facts, unit) == plain(vector)


def hkdf(salt: bytes, key: bytes, info: bytes) -> bytes:
    """RFC 5869, 64 bytes, from HMAC alone."""
    extracted = hmac.digest(salt, key, "sha256")
    first = hmac.digest(extracted, info + b"\x01", "sha256")
    return first + hmac.digest(extracted, first + info + b"\x02", "sha256")


def second_reader(sealed: bytes, unit_key: bytes) -> tuple[dict[str, Any], bytes]:
    """TOB1 from its description; shares no code with `troth.vault.framing`."""
    magic, algorithm, data_class, log2, place = struct.unpack(">4s4B", sealed[:8])
    assert (magic, algorithm, log2) == (b"TOB1", 1, 18)
    claims = {
        "class": {1: "user-generated", 2: "account", 3: "system"}[data_class],
        "jurisdiction": {1: "eu", 2: "us", 3: "au"}[place],
        "tenant": sealed[8:24].hex(),
        "object": sealed[24:40].hex(),
        "version": int.from_bytes(sealed[40:48], "big"),
        "unit": sealed[48:64].hex(),
        "generation": int.from_bytes(sealed[64:68], "big"),
        "salt": sealed[68:84].hex(),
    }
    data_key = AESGCM(unit_key).decrypt(sealed[84:96], sealed[96:144], sealed[:84])
    info = b"troth/TOB1/segment-key+commitment" + hashlib.sha256(sealed[:84]).digest()
    derived = hkdf(sealed[68:84], data_key, info)
    assert derived[32:] == sealed[144:176]
    body, step = sealed[176:], 262_144 + 16
    parts = [body[at : at + step] for at in range(0, len(body), step)]
    opened = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        nonce = index.to_bytes(8, "big") + int(last).to_bytes(4, "big")
        opened.append(AESGCM(derived[:32]).decrypt(nonce, part, sealed[:176] if index == 0 else None))
    return claims, b"".join(opened)


@each
def test_second_reader_agrees(vector: dict[str, Any]) -> None:
    sealed = bytes.fromhex(vector["sealed"]) if vector["sealed"] else sealed_again(vector)[2]
    claims, content = second_reader(sealed, bytes.fromhex(vector["unit_key"]))
    assert content == plain(vector)
    assert claims == {name: vector[name] for name in claims}


def test_fresh_objects_are_read_by_the_second_reader() -> None:
    facts, unit, _ = sealed_again(VECTORS[0])
    sealed = framing.seal(facts, unit, b"fresh")
    assert second_reader(sealed, unit.key)[1] == b"fresh"
