"""What a key is limited to beyond its scopes: the networks it may come from, and the models it may generate with.

A network is often somebody's home, so the list is sealed under its owner's key. What a request is compared with are
marks: HMAC-SHA256 of each network under a key made from the token, which the server does not keep. They need no further
read, and who has the database alone cannot try addresses on them.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import struct
from collections.abc import Iterable, Sequence

from troth.kernel.errors import Invalid, Unauthenticated

MOST_NETWORKS = 16
MOST_MODELS = 20
_MARK = struct.Struct(">BB16s")  # 4 or 6, length of the prefix in bits, the first half of the HMAC
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Iterable[str]) -> tuple[str, ...]:
    """The networks in one spelling, sorted, without repetition. Raises `Invalid` (`bad-network`)."""
    found = {_network(text) for text in texts}
    if len(found) > MOST_NETWORKS:
        raise Invalid(f"Name at most {MOST_NETWORKS} networks.", code="bad-network", field="networks")
    return tuple(
        str(one) for one in sorted(found, key=lambda one: (one.version, one.network_address.packed, one.prefixlen))
    )


def marks(token: str, wanted: Sequence[str]) -> bytes | None:
    """What is kept of networks to compare with; None for a key without such a limit."""
    if not wanted:
        return None
    key = _key(token)
    return b"".join(_mark(key, ipaddress.ip_network(one)) for one in wanted)


def require_network(kept: bytes | None, token: str, address: str) -> None:
    """The peer stands in one of the networks. Raises `Unauthenticated` (`key-network`), also for an unknown peer."""
    if kept is None:
        return
    peer, key = _address(address), _key(token)
    for version, length, mac in _MARK.iter_unpack(kept):
        if peer is None or peer.version != version:
            continue
        around = ipaddress.ip_network((peer, length), strict=False)
        if hmac.compare_digest(_mac(key, around), mac):
            return
    raise Unauthenticated(
        "This API key is not to be used from this network; its owner named others.", code="key-network"
    )


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError:
        network = None
    mapped = isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None
    if network is None or mapped or not network.prefixlen:
        raise Invalid(
            "Write a network as 203.0.113.0/24 or 2001:db8::/32, with nothing behind the prefix; one address stands"
            " alone. Leave the list out to permit every network.",
            code="bad-network",
            field="networks",
        )
    return network


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None  # RFC 4291 section 2.5.5.2
    return mapped or address


def _key(token: str) -> bytes:
    return hashlib.sha256(b"troth key networks\0" + token.encode()).digest()


def _mac(key: bytes, network: Network) -> bytes:
    message = bytes([network.version, network.prefixlen]) + network.network_address.packed
    return hmac.digest(key, message, "sha256")[:16]


def _mark(key: bytes, network: Network) -> bytes:
    return _MARK.pack(network.version, network.prefixlen, _mac(key, network))
