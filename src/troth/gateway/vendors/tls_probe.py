"""Which TLS a vendor's address offers: handshakes with it, nothing is sent (VEN-04)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

from troth.gateway.vendors.record import DueDiligence, Probe
from troth.kernel.errors import Invalid

_SECONDS = 5.0
Version = Literal["TLSv1.3", "TLSv1.2", "none"]


def probe(facts: DueDiligence, now: int, contexts: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> Probe:
    """The best version with a certificate that holds. Raises `Invalid` for an address without TLS.

    The answer never says why: what a server tells about itself is not for our records.
    """
    place = urlsplit(facts.base_url)
    if place.scheme != "https" or place.hostname is None:
        raise Invalid("This vendor's address has no TLS to look at; amend the vendor.", code="vendor-not-encrypted")
    versions: tuple[tuple[Version, ssl.TLSVersion], ...] = (
        ("TLSv1.3", ssl.TLSVersion.TLSv1_3),
        ("TLSv1.2", ssl.TLSVersion.TLSv1_2),
    )
    for name, version in versions:
        if _greets(place.hostname, place.port or 443, contexts(), version):
            return Probe(at=now, version=name)
    return Probe(at=now, version="none")


def _greets(host: str, port: int, context: ssl.SSLContext, version: ssl.TLSVersion) -> bool:
    context.minimum_version = context.maximum_version = version
    try:
        with (
            socket.create_connection((host, port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:  # ssl.SSLError and TimeoutError are such
        return False
