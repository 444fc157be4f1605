"""SPIFFE names: one shape, nothing beside it."""

from __future__ import annotations

import pytest

from troth.identity.certificates.names import SpiffeName, read_name, trust_domain
from troth.kernel.errors import Invalid


def test_a_name_comes_back_as_it_was_written() -> None:
    name = SpiffeName("troth.example.org", "ten_a", "device", "dev_b")
    assert name.uri == "spiffe://troth.example.org/tenant/ten_a/device/dev_b"
    assert read_name(name.uri) == name
    assert read_name("spiffe://localhost/tenant/t/service/s").kind == "service"


@pytest.mark.parametrize(
    "uri",
    [
        "spiffe://a/tenant/t/user/u",
        "spiffe://a/tenant/t/device",
        "spiffe://a/tenant/t/device/d/",
        "spiffe://a/tenant/t/device/d?x=1",
        "spiffe://a/tenant/t/device/d#x",
        "spiffe://a/tenant/../device/d",
        "spiffe://a/tenant/t%2f/device/d",
        "spiffe://A/tenant/t/device/d",
        "spiffe://a:1/tenant/t/device/d",
        "spiffe://u@a/tenant/t/device/d",
        "SPIFFE://a/tenant/t/device/d",
        "https://a/tenant/t/device/d",
        "spiffe://a/tenant/t/device/d\n",
        "spiffe://" + "a" * 254 + "/tenant/t/device/d",
        "",
    ],
)
def test_anything_else_is_refused(uri: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_name(uri)
    assert refusal.value.code == "bad-spiffe-name"


def test_a_trust_domain_is_made_of_a_host_name() -> None:
    assert trust_domain("Troth.Example.ORG") == "troth.example.org"
    assert trust_domain("::1") == "--1"
    assert len(trust_domain("a" * 300)) == 253
