"""Where passkeys belong: to the server's own address, or to the one that the settings say."""

from __future__ import annotations

from typing import Any

import pytest

from troth.settings.load import load
from troth.wiring.identity import relying_party

OWN: dict[str, Any] = {"name": "troth.example.org"}


@pytest.mark.parametrize(
    ("server", "identity", "wanted"),
    [
        (OWN, {}, ("troth.example.org", ("https://troth.example.org:8443",))),
        (OWN | {"port": 443}, {}, ("troth.example.org", ("https://troth.example.org",))),
        (OWN, {"passkey_domain": "example.org"}, ("example.org", ("https://troth.example.org:8443",))),
        (OWN, {"passkey_origins": ["https://a.example"]}, ("troth.example.org", ("https://a.example",))),
    ],
)
def test_domain_and_addresses(server: dict[str, Any], identity: dict[str, Any], wanted: tuple[str, Any]) -> None:
    party = relying_party(load(server=server, identity=identity))
    assert (party.id, party.origins) == wanted
