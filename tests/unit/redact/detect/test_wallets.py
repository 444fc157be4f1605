"""Checksums of wallets, by the vectors of their standards."""

from __future__ import annotations

import pytest

from troth.redact.detect import wallets


def test_keccak_vectors() -> None:
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert wallets.keccak256(b"").hex() == empty
    assert wallets.keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"


@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    ],
)
def test_eip55(address: str) -> None:
    assert wallets.ethereum(address)
    assert wallets.ethereum(address.lower())
    at = next(i for i, c in enumerate(address) if i > 1 and c.isalpha())
    assert not wallets.ethereum(address[:at] + address[at].swapcase() + address[at + 1 :])


def test_bitcoin() -> None:
    assert wallets.base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
    assert not wallets.base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb")
    assert not wallets.base58check("1" + "z" * 33)
    assert wallets.bech32("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
    assert not wallets.bech32("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5")
