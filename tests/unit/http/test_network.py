"""Places in the network: what one customer holds counts as one, and no name tells the address."""

from __future__ import annotations

import pytest

from troth.http.network import line, neighbourhood, zone


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("10.1.2.3", "private"),
        ("fe80::1%eth0", "private"),
        ("9.9.9.9", "public"),
        ("2620:fe::fe", "public"),
        ("testclient", "unknown"),
        ("", "unknown"),
    ],
)
def test_zones(host: str, expected: str) -> None:
    assert zone(host) == expected


def test_a_line_is_an_address_or_a_64() -> None:
    assert line("9.9.9.9") == line("::ffff:9.9.9.9") == "9.9.9.9"
    assert line("9.9.9.10") != line("9.9.9.9")
    assert line("2620:fe:0:1::1") == line("2620:fe:0:1:ffff::2")
    assert line("2620:fe:0:2::1") != line("2620:fe:0:1::1")


def test_a_neighbourhood_is_shared_by_neighbours_and_opaque() -> None:
    assert neighbourhood("9.9.9.9") == neighbourhood("9.9.9.200")
    assert neighbourhood("9.9.8.9") != neighbourhood("9.9.9.9")
    assert neighbourhood("2620:fe:0:1::1") == neighbourhood("2620:fe:0:1::2") != neighbourhood("2620:fe:0:2::1")
    assert len(neighbourhood("9.9.9.9")) == 32
    assert "9.9" not in neighbourhood("9.9.9.9")
