"""An issuer of everybody needs the claim that says whose person it is."""

from __future__ import annotations

import pytest

from troth.identity.sso.rules import Rules
from troth.identity.sso.shared import require_separate
from troth.kernel.errors import Invalid

ENTRA = "https://login.microsoftonline.com"


@pytest.mark.parametrize(
    ("issuer", "claim"),
    [
        ("https://accounts.google.com", "hd"),
        ("https://ACCOUNTS.google.com.", "hd"),
        (f"{ENTRA}/common/v2.0", "tid"),
        (f"{ENTRA}/organizations/v2.0", "tid"),
        (f"{ENTRA}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "tid"),
        ("https://sts.windows.net/common/", "tid"),
        ("https://slack.com", "https://slack.com/team_id"),
    ],
)
def test_a_shared_issuer_needs_its_claim(issuer: str, claim: str) -> None:
    for rules in (Rules(), Rules(required={"email_verified": ("true",)})):
        with pytest.raises(Invalid, match="share this issuer") as refusal:
            require_separate(issuer, rules)
        assert refusal.value.code == "sso-shared-issuer"
    require_separate(issuer, Rules(required={claim: ("ours",)}))


@pytest.mark.parametrize("issuer", ["https://appleid.apple.com", "https://www.facebook.com"])
def test_an_issuer_that_tells_nobody_apart_is_refused(issuer: str) -> None:
    with pytest.raises(Invalid):
        require_separate(issuer, Rules(required={"email_verified": ("true",), "hd": ("x",)}))


@pytest.mark.parametrize("issuer", ["https://idp.example.org", f"{ENTRA}/0f9b7e2c-0000-4000-8000-000000000000/v2.0"])
def test_an_issuer_of_ones_own_does_not(issuer: str) -> None:
    require_separate(issuer, Rules())
