"""The certificate that a client showed in the TLS handshake, on its way to whoever judges it.

It travels in the ASGI scope as the ASGI TLS extension has it, and comes from the socket alone: no header is ever read
for it. It is there on the port for certificates only, whose handshake verified its chain.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

_EXTENSION = "tls"
_CHAIN = "client_cert_chain"


def extension_of(transport: asyncio.BaseTransport) -> dict[str, Any] | None:
    """The `tls` extension for requests of this connection, or None when its client showed no certificate."""
    tls = transport.get_extra_info("ssl_object")
    shown: bytes | None = tls.getpeercert(binary_form=True) if tls is not None else None
    return {_CHAIN: [ssl.DER_cert_to_PEM_cert(shown)]} if shown else None


def with_extension(scope: Any, extension: dict[str, Any] | None) -> None:
    """Put it into a scope."""
    if extension is not None:
        scope["extensions"] = {**scope.get("extensions", {}), _EXTENSION: extension}


def certificate_in(scope: Mapping[str, Any]) -> str:
    """The certificate as PEM text, or "" when there is none."""
    chain: list[str] = scope.get("extensions", {}).get(_EXTENSION, {}).get(_CHAIN, [])
    return chain[0] if chain else ""
