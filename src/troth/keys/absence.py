"""Key domains that are away: which refusals say so, and who is.

Only these codes mean absence: the provider was not met, because it is not there or because what was set up does not
lead to it. Nothing of it is believed then, and nothing counts as destroyed. A domain that answers and is another one,
or would give keys out, is refused as ever: taking it for absent would let a start pass over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from troth.kernel.errors import Unavailable
from troth.keys.domains import Domain
from troth.keys.residency import require_home

NOT_THERE = frozenset(
    {"hsm-offline", "hsm-late", "hsm-token", "key-folder", "key-folder-away"}
    | {"openbao-offline", "openbao-sealed", "openbao-standby", "openbao-busy", "openbao-failed"}
)
SET_UP_WRONGLY = frozenset(
    {"hsm-pin", "hsm-pin-locked", "hsm-pin-last-try", "hsm-library", "hsm-token-ambiguous"}
    | {"root-credential", "root-credential-open"}
    | {"openbao-denied", "openbao-tls", "openbao-mount", "openbao-upsert"}
)
AWAY = NOT_THERE | SET_UP_WRONGLY


class Attendance:
    """Which of a tree's domains answered when they were last asked. `away`: name and code of those that did not."""

    def __init__(self, domains: Sequence[Domain], jurisdiction: str) -> None:
        self._domains = domains
        self._jurisdiction = jurisdiction
        self.away: dict[str, str] = {}
        self.excused: set[str] = set()  # given up as lost: nobody waits for them

    @property
    def missing(self) -> bool:
        """True when one is away that is waited for."""
        return not self.excused.issuperset(self.away)

    def present(self) -> dict[str, set[str]]:
        """The jurisdiction's roots in each domain that answers; those that are away are noted, not listed.

        Raises `Unavailable` for a domain that answers as another one, or came back with roots of elsewhere.
        """
        found: dict[str, set[str]] = {}
        for domain in self._domains:
            try:
                roots = domain.root.present()
                if domain.name in self.away:  # it was not there when placements were checked
                    require_home(domain.name, roots, self._jurisdiction)
            except Unavailable as error:
                self.away[domain.name] = error.code
                if error.code not in AWAY and domain.name not in self.excused:
                    raise
                continue
            self.away.pop(domain.name, None)
            found[domain.name] = {root for root in roots if root.startswith(f"{self._jurisdiction}-")}
        return found

    def nearest(self) -> list[Domain]:
        """All domains in the order of the settings, those that were away last of all: each wait is a reader's."""
        return sorted(self._domains, key=lambda one: one.name in self.away)

    @contextmanager
    def required(self) -> Iterator[None]:
        """A block that needs every domain. Raises `Unavailable` (code `seal-pending`) when one is away.

        One that was away is asked first: each vain attempt would leave new roots in the others.
        """
        if self.missing:
            self.present()
        if self.missing:
            raise pending()
        try:
            yield
        except Unavailable as error:
            if error.code not in AWAY:
                raise
            self.present()
            raise pending() from error


def pending() -> Unavailable:
    """The refusal for what waits until every domain answers."""
    return Unavailable(
        "Not every key domain answers or has confirmed yet. What was erased does not open here; the rest is tried "
        "again by itself.",
        code="seal-pending",
    )
