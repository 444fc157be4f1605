"""Addresses of crypto wallets, by their checksums: Base58Check, Bech32 (BIP-173, BIP-350), EIP-55."""

from __future__ import annotations

import hashlib

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANT, _BECH32M_CONSTANT = 1, 0x2BC830A3


def base58check(value: str) -> bool:
    """A Bitcoin address of version 0x00 or 0x05 whose last four bytes are the double SHA-256 of the rest."""
    number = 0
    for c in value:
        number = number * 58 + _BASE58.index(c)
    if number >= 1 << 200:
        return False
    raw = number.to_bytes(25, "big")
    return raw[0] in (0, 5) and hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]


def bech32(value: str) -> bool:
    """BIP-173 or BIP-350 checksum over a segwit address of the main network."""
    text = value.lower()
    prefix, _, data = text.rpartition("1")
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + [_BECH32.index(c) for c in data]
    check = 1
    for v in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ v
        for i, generator in enumerate(_GENERATORS):
            check ^= generator if top >> i & 1 else 0
    return check in (_BECH32_CONSTANT, _BECH32M_CONSTANT)


_ROUND = (1 << 64) - 1
_ROTATIONS = ((0, 36, 3, 41, 18), (1, 44, 10, 45, 2), (62, 6, 43, 15, 61), (28, 55, 25, 21, 56), (27, 20, 39, 8, 14))


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _ROUND if by else value


def _permute(a: list[list[int]]) -> list[list[int]]:
    """Keccak-f[1600] (FIPS 202 section 3.2); the round constants come from its LFSR."""
    register = 1
    for _ in range(24):
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        d = [c[(x + 4) % 5] ^ _rotate(c[(x + 1) % 5], 1) for x in range(5)]
        b = [[0] * 5 for _ in range(5)]
        for x in range(5):
            for y in range(5):
                b[y][(2 * x + 3 * y) % 5] = _rotate(a[x][y] ^ d[x], _ROTATIONS[x][y])
        a = [[b[x][y] ^ (~b[(x + 1) % 5][y] & b[(x + 2) % 5][y]) for y in range(5)] for x in range(5)]
        for j in range(7):
            if register & 1:
                a[0][0] ^= 1 << ((1 << j) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
    return a


def keccak256(message: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (padding 0x01, unlike SHA3-256). Messages of at most 135 bytes, one block."""
    block = message + b"\x01" + b"\x00" * (135 - len(message))
    block = block[:-1] + bytes([block[-1] | 0x80])
    a = [[0] * 5 for _ in range(5)]
    for i in range(17):
        a[i % 5][i // 5] ^= int.from_bytes(block[8 * i : 8 * i + 8], "little")
    a = _permute(a)
    return b"".join(a[i % 5][i // 5].to_bytes(8, "little") for i in range(4))


def ethereum(value: str) -> bool:
    """EIP-55: mixed case must be its checksum; one case alone carries none and holds."""
    body = value[2:]
    if body == body.lower() or body == body.upper():
        return True
    digest = keccak256(body.lower().encode()).hex()
    return all(c.isdigit() or c.isupper() == (int(h, 16) > 7) for c, h in zip(body, digest, strict=False))
