"""The root page's key, and what each key domain seals of it.

Without split every domain seals the key itself: domains are each other's backup, and a destroyed root counts only when
it is destroyed in all of them. With split every domain seals a random share and the key is HKDF-SHA256 (RFC 5869) over
all of them: it opens only while every domain answers, and is gone for good as soon as one share is. No I/O.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from troth.keys.leaf import SECRET_BYTES
from troth.keys.pages import PAGE_ID_BYTES, Ref

KEY, SHARE = "root-page-key", "root-page-share"  # purposes in the associated data of sealed values
_LABEL = b"troth root page key 2"


@dataclass(frozen=True, slots=True)
class FreshRoot:
    """A new root page's id and key, and what is to be sealed in each domain."""

    ref: Ref
    parts: Mapping[str, bytes] = field(repr=False)
    split: bool

    @classmethod
    def draw(cls, domains: Sequence[str], *, split: bool) -> FreshRoot:
        """Fresh random values for these domains."""
        page = os.urandom(PAGE_ID_BYTES)
        if split:
            parts = {name: os.urandom(SECRET_BYTES) for name in domains}
            return cls(Ref(page, joined(parts, page)), parts, True)
        key = os.urandom(SECRET_BYTES)
        return cls(Ref(page, key), dict.fromkeys(domains, key), False)


def joined(shares: Mapping[str, bytes], page: bytes) -> bytes:
    """The key of a split root page from the shares of all its domains, in the order of their names."""
    material = b"".join(shares[name] for name in sorted(shares))
    return HKDF(SHA256(), SECRET_BYTES, salt=None, info=_LABEL + page).derive(material)
