"""Moving content from a compromised key to a fresh one: what the keys ask of whoever holds content."""

from __future__ import annotations

from typing import Protocol


class Reencrypter(Protocol):
    """Holds content that is sealed under key units. The key of a compromised unit opens for `Use.REENCRYPTION` only."""

    def covers(self, data_class: str, period: str) -> bool:
        """True when all content under such units is held here, so that a unit can be destroyed once it was moved."""
        ...

    def reencrypt(self, tenant: str, subject: str, unit: bytes) -> int:
        """Seal everything that stands under this unit anew, under fresh units; how much. Idempotent.

        Raises whatever stops it: the unit then stays, and the same call goes on later.
        """
        ...
