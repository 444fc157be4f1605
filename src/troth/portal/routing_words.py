"""The routing policy of a tenant in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from troth.gateway.vendors.routing import RoutingPolicy
from troth.portal.words import plain

ORDERS = {
    "listed": "as the operator lists them",
    "price": "the cheapest first",
    "health": "the one with the fewest failures first",
    "latency": "the quickest first",
}
PRICES = {
    "input": "for a million tokens read",
    "output": "for a million tokens written",
    "picture": "for a picture",
    "second": "for a second of video",
}
LOOSER = {
    "allow": "more vendors may be asked",
    "deny": "a vendor that was kept out may be asked",
    "regions": "data may be processed in more places",
    "certificates": "fewer certificates are asked for",
    "most": "it may cost more",
    "fallback": "another vendor may step in",
}
EQUAL = (
    "Another vendor steps in only when the first did nothing with the request, and only if it promises at least as "
    "much: it keeps nothing longer, processes nowhere else, and has the same clauses, certificates and answers in its "
    "review."
)
_PLACES = {"eu": "the European Union", "us": "the United States", "au": "Australia", "here": "this machine"}


def told(policy: RoutingPolicy) -> list[tuple[str, str]]:
    """What it says, point by point."""
    asked = joined(policy.allow) + " alone" if policy.allow else "every vendor that the operator approved"
    kept_out = f", but not {joined(policy.deny)}" if policy.deny else ""
    certificates = joined([plain(one) for one in policy.certificates])
    where = joined([_PLACES.get(one, one.upper()) for one in policy.regions])
    return [
        ("Who may be asked", asked + kept_out),
        ("Where data is processed", f"only in {where}" if policy.regions else "wherever the law of your place lets it"),
        ("Certificates", certificates or "none asked for"),
        ("Price", _prices(policy)),
        ("Who is asked first", ORDERS[policy.order]),
        ("When that vendor fails", "another with terms at least as good" if policy.fallback else "nobody steps in"),
    ]


def amount(micros: int | None) -> str:
    """Millionths as people write them: 2.50; empty for no limit."""
    if micros is None:
        return ""
    value = Decimal(micros) / 1_000_000
    return f"{value:.2f}" if value == round(value, 2) else f"{value.normalize():f}"


def joined(names: Sequence[str]) -> str:
    """One, two and three."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def _prices(policy: RoutingPolicy) -> str:
    limits = [(told, getattr(policy.most, name)) for name, told in PRICES.items()] if policy.most else []
    said = [f"{amount(micros)} {policy.most.currency if policy.most else ''} {told}" for told, micros in limits
            if micros is not None]  # fmt: skip
    return "at most " + joined(said) if said else "no limit"
