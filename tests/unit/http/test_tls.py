"""TLS 1.3 only, with a certificate that an ordinary client accepts."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from troth.http.tls import local_certificate, server_context


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    return local_certificate(tmp_path / "tls", "localhost")


def _handshake(files: tuple[Path, Path, Path], maximum: ssl.TLSVersion) -> str | None:
    authority, certificate, key = files
    listener = socket.create_server(("127.0.0.1", 0))
    context = server_context(certificate, key)

    def serve() -> None:
        plain, _ = listener.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as secured:
                secured.recv(1)
        except (ssl.SSLError, OSError):
            plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    client = ssl.create_default_context(cafile=str(authority))
    client.maximum_version = maximum
    try:
        with (
            socket.create_connection(listener.getsockname()) as plain,
            client.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.send(b"x")
            return secured.version()
    finally:
        thread.join()
        listener.close()


def test_a_tls_13_client_is_served(files: tuple[Path, Path, Path]) -> None:
    assert _handshake(files, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"


def test_a_tls_12_client_is_refused(files: tuple[Path, Path, Path]) -> None:
    with pytest.raises(ssl.SSLError):
        _handshake(files, ssl.TLSVersion.TLSv1_2)


def test_keys_are_private_and_made_once(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    assert files[2].stat().st_mode & 0o777 == 0o600
    before = files[1].read_bytes()
    assert local_certificate(tmp_path / "tls", "localhost")[1].read_bytes() == before
