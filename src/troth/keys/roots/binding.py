"""Which provider a domain was first used with: another one, or an emptied one, must not pass for it.

Without this a token that is away (SoftHSM then shows an empty list), was initialised anew, or was exchanged for another
of the same name would confirm that every old root is gone while it still lies in a drawer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from troth.kernel.errors import NotFound, Unavailable
from troth.keys import keyfile


class Binding:
    """A file of 32 bytes: SHA-256 over what the provider showed of itself at the first use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def made(self) -> bool:
        """True when a provider was used before. Raises `Unavailable` when that cannot be told."""
        try:
            keyfile.read(self._path)
        except NotFound:
            return False
        return True

    def require(self, shown: Iterable[str]) -> str:
        """The one of `shown` that was used at the first use, which is now when there was none.

        Raises `Unavailable` when none is the one.
        """
        marks = {hashlib.sha256(one.encode()).digest(): one for one in shown}
        if marks and not self.made:
            keyfile.private_folder(self._path.parent)
            keyfile.create(self._path, min(marks))  # another process may have been first: its choice counts
        try:
            known = keyfile.read(self._path)
        except NotFound:
            known = b""
        if known not in marks:
            raise exchanged()
        return marks[known]


def exchanged() -> Unavailable:
    """The refusal for a provider that is not the one of before."""
    return Unavailable(
        "The folder, token or key service of this domain is not the one that was used before, or it was emptied. Bring "
        "the old one back, or give the new one a domain of its own.",
        code="root-provider-changed",
    )
