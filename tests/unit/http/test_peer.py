"""The certificate of a client travels from the socket, as the ASGI TLS extension has it, and from nowhere else."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from starlette.requests import Request

from troth.http.authenticate import connection_of
from troth.http.peer import certificate_in, extension_of, with_extension

DER = b"0\x03\x02\x01\x07"
PEM = ssl.DER_cert_to_PEM_cert(DER)


class _Tls:
    """What a transport has of TLS: `ssl.SSLObject` cannot be made with a peer by hand."""

    def __init__(self, shown: bytes | None) -> None:
        self._shown = shown

    def getpeercert(self, *, binary_form: bool) -> bytes | None:
        return self._shown if binary_form else None


def _transport(tls: _Tls | None) -> asyncio.BaseTransport:
    return asyncio.BaseTransport({"ssl_object": tls})


def _request(*, extension: dict[str, Any] | None, headers: list[tuple[bytes, bytes]] | None = None) -> Request:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "scheme": "https",
        "headers": headers or [],
        "client": ("127.0.0.1", 1),
        "extensions": {"http.response.push": {}},
    }
    with_extension(scope, extension)
    assert "http.response.push" in scope["extensions"]
    return Request(scope)


def test_a_certificate_goes_from_the_socket_to_the_connection() -> None:
    connection = connection_of(_request(extension=extension_of(_transport(_Tls(DER)))))
    assert connection.mtls
    assert connection.certificate == PEM
    assert PEM not in repr(connection)


def test_without_one_there_is_none() -> None:
    for transport in (_transport(_Tls(None)), _transport(None)):
        assert extension_of(transport) is None
    connection = connection_of(_request(extension=None))
    assert (connection.mtls, connection.certificate) == (False, "")


def test_headers_are_not_read() -> None:
    names = (b"x-client-cert", b"client-cert", b"x-forwarded-client-cert", b"x-ssl-client-verify")
    request = _request(extension=None, headers=[(name, PEM.replace("\n", " ").encode()) for name in names])
    assert not connection_of(request).mtls


def test_an_extension_of_another_shape_is_none() -> None:
    assert certificate_in({"extensions": {"tls": {}}}) == ""
    assert certificate_in({"extensions": {"tls": {"client_cert_chain": []}}}) == ""
    assert certificate_in({}) == ""
