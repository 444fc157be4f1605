"""Key domains stay in their jurisdiction: the store of copies states it, and every root carries it in its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from troth.kernel.errors import Unavailable
from troth.keys.domains import Domain
from troth.storage.placement import claim_store


def claim_domains(domains: Sequence[Domain], jurisdiction: str) -> None:
    """Claim or check every domain. Raises `Unavailable`: `wrong-placement`, `no-placement`.

    A provider that is away is asked when it is first used: whose roots it holds decides then whether anything opens.
    """
    for domain in domains:
        claim_store(domain.blobs, f"store of page copies of key domain '{domain.name}'", jurisdiction)
        strangers = set(roots_by_jurisdiction(domain)) - {jurisdiction}
        if strangers:
            raise Unavailable(
                f"Key domain '{domain.name}' holds roots of {', '.join(sorted(strangers))}, and this installation "
                f"stands in '{jurisdiction}'; give each jurisdiction a domain of its own.",
                code="wrong-placement",
            )


def roots_by_jurisdiction(domain: Domain) -> Counter[str]:
    """How many roots of which jurisdiction are there, by name; nothing when the provider is away."""
    try:
        return Counter(name.partition("-")[0] for name in domain.root.present())
    except Unavailable:
        return Counter()
