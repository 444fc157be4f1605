"""Where in the network a request comes from: evidence for policies, and the name under which strangers are counted."""

from __future__ import annotations

import ipaddress
import secrets
from functools import lru_cache
from hashlib import blake2b

_REMEMBERED = 1024  # addresses whose answers are kept in memory: a client asks more than once
_KEY = secrets.token_bytes(32)  # of this process only: what was counted under it names no address to anyone later

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@lru_cache(maxsize=_REMEMBERED)
def zone(host: str) -> str:
    """loopback, private, public or unknown."""
    address = _address(host)
    if address is None:
        return "unknown"
    if address.is_loopback:
        return "loopback"
    return "private" if address.is_private else "public"


@lru_cache(maxsize=_REMEMBERED)
def line(host: str) -> str:
    """What one customer holds: an IPv4 address, or an IPv6 /64 (RFC 6177 gives a site no less)."""
    address = _address(host)
    if address is None:
        return "unknown"
    return str(address) if address.version == 4 else _prefix(address, 64)


@lru_cache(maxsize=_REMEMBERED)
def neighbourhood(host: str) -> str:
    """A keyed hash of the /24 (IPv4) or /64 (IPv6) around an address: 32 hex digits that say nothing of the address."""
    address = _address(host)
    prefix = "unknown" if address is None else _prefix(address, 24 if address.version == 4 else 64)
    return blake2b(prefix.encode(), key=_KEY, digest_size=16).hexdigest()


def _address(host: str) -> Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if address.version == 6 else None  # RFC 4291 section 2.5.5.2
    return mapped or address


def _prefix(address: Address, bits: int) -> str:
    return str(ipaddress.ip_network((address, bits), strict=False))
