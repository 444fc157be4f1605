"""Issuers that vouch for everybody's people: one of them is safe only with a claim that says whose person it is."""

from __future__ import annotations

from urllib.parse import urlsplit

from troth.identity.sso.rules import Rules
from troth.kernel.errors import Invalid

# Host of the issuer -> the claim by which it tells organisations apart; None: it has none, so nobody may use it.
_CLAIMS: dict[str, str | None] = {
    "accounts.google.com": "hd",
    "slack.com": "https://slack.com/team_id",
    "gitlab.com": "groups_direct",
    "appleid.apple.com": None,
    "www.facebook.com": None,
    "www.linkedin.com": None,
    "api.login.yahoo.com": None,
    "id.twitch.tv": None,
    "token.actions.githubusercontent.com": None,
}
_MICROSOFT = frozenset({"login.microsoftonline.com", "login.microsoft.com", "sts.windows.net"})
# The directories of Entra ID that are everybody's; the last one is that of personal accounts.
_EVERYBODYS = frozenset({"common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad", "{tenantid}"})


def require_separate(issuer: str, rules: Rules) -> None:
    """Raises `Invalid` (`sso-shared-issuer`) for an issuer that many organisations share, without its claim."""
    parts = urlsplit(issuer)
    host, directory = (parts.hostname or "").rstrip("."), parts.path.strip("/").partition("/")[0].lower()
    if host in _MICROSOFT and directory in _EVERYBODYS:
        claim: str | None = "tid"
    elif host in _CLAIMS:
        claim = _CLAIMS[host]
    else:
        return
    if claim is None:
        raise Invalid("This issuer vouches for everybody and says of nobody whose person they are.", code=_CODE)
    if not rules.required.get(claim):
        raise Invalid(
            f"Many organisations share this issuer: say in the rules what the claim {claim} must be.", code=_CODE
        )


_CODE = "sso-shared-issuer"
