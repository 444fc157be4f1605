"""Addresses of networks and devices, in the ranges kept for documentation."""

from __future__ import annotations

import ipaddress
import re

from troth.redact.surrogates.draw import Draw, mark

_V4 = ("192.0.2.", "198.51.100.", "203.0.113.")  # RFC 5737
_V6 = "2001:db8:"  # RFC 3849
_MAC = "00005e0053"  # RFC 9542 section 2.1.2
_SHARE = 2  # of so many addresses of a range, one is the data set's


def ipv4(value: str, kind: str, draw: Draw) -> str | None:
    """An address for documentation, with the port or prefix length of the value."""
    del kind
    nets = [net for net in _V4 if not value.startswith(net)]
    for _ in range(64):
        address = f"{draw.of(nets)}{1 + draw.below(254)}"
        if mark(draw.key, address, _SHARE) == 0:
            return address + re.sub(r"^[\d.]+", "", value)
    return None


def own_ipv4(value: str, kind: str, key: bytes) -> bool:
    """Whether it is one that this data set gives out."""
    del kind
    address = re.match(r"[\d.]+", value)
    return address is not None and address[0].startswith(_V4) and mark(key, address[0], _SHARE) == 0


def ipv6(value: str, kind: str, draw: Draw) -> str:
    """An address for documentation; its last 32 bits are the mark."""
    del value, kind
    free = f"{draw.below(1 << 32):08x}"
    return _v6(free, draw.key)


def _v6(free: str, key: bytes) -> str:
    end = f"{mark(key, f'v6/{free}', 1 << 32):08x}"
    return f"{_V6}{free[:4]}:{free[4:]}:0:0:{end[:4]}:{end[4:]}"


def own_ipv6(value: str, kind: str, key: bytes) -> bool:
    """Whether the mark holds."""
    del kind
    try:
        whole = ipaddress.IPv6Address(re.split("[%/]", value, maxsplit=1)[0]).exploded.replace(":", "")
    except ValueError:
        return False
    made = ipaddress.IPv6Address(_v6(whole[8:16], key)).exploded.replace(":", "")
    return whole == made


def mac(value: str, kind: str, draw: Draw) -> str:
    """An address for documentation in the grouping of the value."""
    del kind
    digits = list(f"{_MAC}{_last(draw):02x}")
    upper = value.isupper()
    return "".join((digits.pop(0).upper() if upper else digits.pop(0)) if c.isalnum() and digits else c for c in value)


def _last(draw: Draw) -> int:
    for _ in range(64):
        last = draw.below(256)
        if mark(draw.key, f"mac/{last:02x}", _SHARE) == 0:
            return last
    return 0


def own_mac(value: str, kind: str, key: bytes) -> bool:
    """Whether it is one that this data set gives out."""
    del kind
    digits = "".join(filter(str.isalnum, value)).lower()
    return len(digits) == 12 and digits.startswith(_MAC) and mark(key, f"mac/{digits[10:]}", _SHARE) == 0
