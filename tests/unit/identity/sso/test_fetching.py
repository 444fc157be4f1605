"""Where requests to identity providers may go, and what of an answer is read."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_network
from typing import NamedTuple

import pytest

from troth.identity.sso.fetching import MOST_DEPTH, Fetcher, Reach, object_of, socket_maker
from troth.kernel.errors import Invalid, VendorFailed


class Asker(NamedTuple):
    """For whom is asked."""

    id: str
    tenant: str


PUBLIC = Reach()
NAMED = Reach((ip_network("10.1.0.0/16"),))
LOOPBACK = Reach((ip_network("127.0.0.0/8"),), plain=True)


@pytest.mark.parametrize(
    "address",
    """10.0.0.1 127.0.0.1 169.254.169.254 192.168.1.1 172.16.0.1 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 ::1 ::
    fe80::1 fe80::1%eth0 fc00::1 ff02::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 64:ff9b::a00:1 2002:a00:1:: 2001::1
    ::127.0.0.1 fec0::1 ::ffff:0:a00:1 4000::1""".split(),
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(Invalid, match="public https address"):
        PUBLIC.require_address(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_a_public_address_is_not(address: str) -> None:
    PUBLIC.require_address(address)


def test_an_operator_may_name_a_network_and_nothing_else_opens() -> None:
    NAMED.require_address("10.1.2.3")
    NAMED.require_address("::ffff:10.1.2.3")
    with pytest.raises(Invalid):
        NAMED.require_address("10.2.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "http://127.0.0.1/",
        "https://",
        "https://user@example.org/",
        "https://user:word@example.org/",
        "https://example.org/#part",
        "https://example.org:99999/",
        "https://exa mple.org/",
        "https://example.org/\n",
        "file:///etc/passwd",
        "gopher://example.org/",
        "//example.org/",
        "https://[::1]/",
        "https://127.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://example.org/" + "a" * 2048,
    ],
)
def test_an_odd_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="public https address"):
        PUBLIC.require_url(url)


def test_plain_http_is_for_loopback_and_by_setting() -> None:
    LOOPBACK.require_url("http://127.0.0.1:8080/")
    for url in ("http://example.org/", "http://10.0.0.1/"):
        with pytest.raises(Invalid):
            LOOPBACK.require_url(url)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1"])
def test_a_name_that_leads_inside_is_refused_where_it_is_resolved(host: str) -> None:
    """Nothing is connected to: a listener there would be reached."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        with pytest.raises(Invalid) as refusal:
            asyncio.run(Fetcher(PUBLIC).get(f"https://{host}:{listener.getsockname()[1]}/", Asker("sso_1", "ten_1")))
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert refusal.value.code == "sso-address-refused"


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"7", b"{", b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":"' + b"\xff" + b'"}', b"{" * 100_000],
)
def test_what_is_no_plain_object_is_refused(content: bytes) -> None:
    with pytest.raises(VendorFailed):
        object_of(content)


def test_depth_has_a_limit() -> None:
    def nest(depth: int) -> bytes:
        return b'{"a":' * depth + b"1" + b"}" * depth

    assert object_of(nest(MOST_DEPTH))
    with pytest.raises(VendorFailed):
        object_of(nest(MOST_DEPTH + 1))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1", "::1", "10.0.0.1"])
def test_the_last_gate_makes_no_socket_to_a_refused_address(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(OSError, match=r"^$"):
        socket_maker(PUBLIC)((family, socket.SOCK_STREAM, 6, "", (address, 443)))
    with socket_maker(LOOPBACK)((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))) as made:
        assert made.family == socket.AF_INET
