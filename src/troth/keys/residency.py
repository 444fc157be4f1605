"""Key domains stay in their jurisdiction: the store of copies states it, and every root carries it in its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from troth.kernel.errors import Unavailable
from troth.keys.domains import Domain
from troth.storage.placement import claim_store


def claim_domains(domains: Sequence[Domain], jurisdiction: str) -> None:
    """Claim or check every domain. Raises `Unavailable`: `wrong-placement`, `no-placement`.

    A provider that is away is asked when it is first used: whose roots it holds decides then whether anything opens.
    """
    for domain in domains:
        claim_store(domain.blobs, f"store of page copies of key domain '{domain.name}'", jurisdiction)
        _require(domain.name, set(roots_by_jurisdiction(domain)), jurisdiction)


def require_home(name: str, roots: Iterable[str], jurisdiction: str) -> None:
    """Raises `Unavailable` (code `wrong-placement`) when one of a domain's roots belongs to another jurisdiction."""
    _require(name, {root.partition("-")[0] for root in roots}, jurisdiction)


def roots_by_jurisdiction(domain: Domain) -> Counter[str]:
    """How many roots of which jurisdiction are there, by name; nothing when the provider is away."""
    try:
        return Counter(name.partition("-")[0] for name in domain.root.present())
    except Unavailable:
        return Counter()


def _require(name: str, found: set[str], jurisdiction: str) -> None:
    if strangers := found - {jurisdiction}:
        raise Unavailable(
            f"Key domain '{name}' holds roots of {', '.join(sorted(strangers))}, and this installation stands in "
            f"'{jurisdiction}'; give each jurisdiction a domain of its own.",
            code="wrong-placement",
        )
