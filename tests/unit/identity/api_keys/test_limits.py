"""Networks a key is limited to: one spelling, nothing of them readable without the token, and no doubt in favour."""

from __future__ import annotations

import pytest

from troth.identity.api_keys import limits
from troth.kernel.errors import Invalid, Unauthenticated

TOKEN, OTHER = "troth_sk_a_b", "troth_sk_a_c"


def admits(wanted: tuple[str, ...], address: str, token: str = TOKEN) -> bool:
    """Whether a key of `TOKEN` with these networks, shown as `token`, is taken from an address."""
    try:
        limits.require_network(limits.marks(TOKEN, limits.networks(wanted)), token, address)
    except Unauthenticated as refusal:
        assert refusal.code == "key-network"
        assert address not in refusal.advice or not address
        return False
    return True


@pytest.mark.parametrize(
    ("wanted", "inside", "outside"),
    [
        ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
        ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
        ("203.0.113.0/31", "203.0.113.1", "203.0.113.2"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("2001:db8::5", "2001:0db8:0:0::5", "2001:db8::6"),
        ("fe80::/10", "fe80::1%eth0", "fec0::1"),
        ("203.0.113.0/24", "::ffff:203.0.113.9", "::ffff:203.0.112.9"),
    ],
)
def test_inside_and_outside(wanted: str, inside: str, outside: str) -> None:
    assert admits((wanted,), inside)
    assert not admits((wanted,), outside)


@pytest.mark.parametrize("address", ["", "unknown", "localhost", "203.0.113.7:80", "203.0.113", "[2001:db8::1]", "0"])
def test_an_unknown_peer_is_refused(address: str) -> None:
    assert not admits(("203.0.113.0/24", "2001:db8::/32"), address)


def test_any_of_several_and_none_of_none() -> None:
    both = ("2001:db8::/32", "198.51.100.0/25")
    assert admits(both, "198.51.100.127")
    assert admits(both, "2001:db8::1")
    assert not admits(both, "198.51.100.128")
    assert limits.marks(TOKEN, ()) is None
    limits.require_network(None, TOKEN, "")


def test_an_address_of_the_other_kind_with_the_same_bits_is_outside() -> None:
    assert not admits(("::/8",), "0.0.0.1")
    assert not admits(("32.1.13.184/32",), "2001:db8::")


def test_marks_say_nothing_without_the_token() -> None:
    wanted = limits.networks(("203.0.113.0/24",))
    kept = limits.marks(TOKEN, wanted)
    assert kept is not None
    assert bytes([203, 0, 113]) not in kept
    assert kept != limits.marks(OTHER, wanted)
    assert not admits(("203.0.113.0/24",), "203.0.113.7", OTHER)


def test_one_spelling() -> None:
    texts = (" 2001:0DB8::/32", "203.0.113.7", "10.0.0.0/8", "203.0.113.7/32")
    assert limits.networks(texts) == ("10.0.0.0/8", "203.0.113.7/32", "2001:db8::/32")


@pytest.mark.parametrize(
    "text", ["", "10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0.0/33", "example.org", "::ffff:10.0.0.0/104", "10.0.0.0-9"]
)
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        limits.networks((text,))
    assert (refusal.value.code, refusal.value.field) == ("bad-network", "networks")


def test_there_are_not_endlessly_many() -> None:
    limits.networks(f"10.0.{n}.0/24" for n in range(limits.MOST_NETWORKS))
    with pytest.raises(Invalid):
        limits.networks(f"10.0.{n}.0/24" for n in range(limits.MOST_NETWORKS + 1))
