"""Where messages may go: what an operator opened for identity providers opens nothing for webhooks."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from troth.governance.webhook_sending import Outside
from troth.kernel.errors import Invalid, Unavailable
from troth.settings.sections import Governance
from troth.wiring.reminding import webhook_reach

INSIDE = "http://127.0.0.1:8080/x", "https://127.0.0.1/x", "https://10.1.2.3/x", "https://[::1]/x"


@pytest.mark.parametrize("url", INSIDE)
def test_nothing_private_is_reached_unless_it_is_named(url: str) -> None:
    with pytest.raises(Invalid):
        Outside(webhook_reach(Governance())).require(url)


@pytest.mark.parametrize("url", [*INSIDE[2:], "http://127.0.0.1.example.org/x", "http://10.1.2.3/x"])
def test_a_network_that_is_named_opens_no_other(url: str) -> None:
    reach = webhook_reach(Governance(webhook_private_networks=("127.0.0.0/8",), webhook_plain_loopback=True))
    assert reach.networks == (ip_network("127.0.0.0/8"),)
    Outside(reach).require(INSIDE[0])
    with pytest.raises(Invalid):
        Outside(reach).require(url)


def test_what_is_no_network_is_refused_by_its_name() -> None:
    with pytest.raises(Unavailable, match="TROTH_GOVERNANCE__WEBHOOK_PRIVATE_NETWORKS"):
        webhook_reach(Governance(webhook_private_networks=("home",)))
