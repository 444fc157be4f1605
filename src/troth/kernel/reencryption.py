"""Moving content from a compromised key to a fresh one: what the keys ask of whoever holds content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Reencrypter(Protocol):
    """Holds content that is sealed under key units. The key of a compromised unit opens for `Use.REENCRYPTION` only."""

    def covers(self, data_class: str, period: str) -> bool:
        """True for units that this room answers for: with those who are asked beside it, all content under them moves.

        A unit that nobody answers for is left alone, and with it all that was to be replaced.
        """
        ...

    def beside(self, tenant: str, subject: str) -> Sequence[bytes]:
        """Units that seal content of this person and lie under somebody else, such as those of shared objects."""
        ...

    def reencrypt(self, tenant: str, subject: str, unit: bytes) -> int:
        """Seal everything that stands under this unit anew, under fresh units; how much. Idempotent.

        Raises whatever stops it: the unit then stays, and the same call goes on later.
        """
        ...
