"""The small HTTPS client: https only, TLS 1.3, the server's own words on a refusal."""

from __future__ import annotations

import pytest

from troth.cli.client import Client, _refused
from troth.kernel.errors import Invalid, Unavailable


@pytest.mark.parametrize("url", ["http://localhost:1", "ftp://x", "localhost", ""])
def test_only_https_is_spoken(url: str) -> None:
    with pytest.raises(Invalid):
        Client(url).call("GET", "/v1/me")


def test_no_server_is_a_typed_refusal() -> None:
    with pytest.raises(Unavailable) as caught:
        Client("https://127.0.0.1:9").call("GET", "/v1/me")
    assert caught.value.code == "no-server"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"code": "held", "detail": "On hold."}', "held"),
        (b'{"error": {"code": "model_not_found", "message": "No."}}', "model_not_found"),
        (b"<html>", "refused"),
    ],
)
def test_the_servers_code_is_passed_on(content: bytes, code: str) -> None:
    assert _refused(content).code == code


def test_the_environment_names_server_and_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_URL", "https://troth.example:1")
    monkeypatch.setenv("TROTH_API_KEY", "k")
    assert Client.from_environment() == Client("https://troth.example:1", "k", None)
