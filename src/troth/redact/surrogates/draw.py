"""What is drawn for a surrogate: a stream of choices from the key of the data set and the value. Nothing is random."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")
_BYTES = 64


class Draw:
    """Choices for one try at one value. `entity`: the whole value of which the text is a mention, as it stands."""

    def __init__(self, key: bytes, kind: str, plain: str, attempt: int, *, entity: str = "") -> None:
        self.key, self.entity = key, entity
        self.words: dict[str, str] | None = None  # of the entity, once drawn
        facts = f"{kind}\0{attempt}\0{plain}".encode("utf-8", "surrogatepass")
        self._seed = hashlib.blake2b(facts, key=key, digest_size=_BYTES, person=b"troth/surrogate").digest()
        self._pool, self._room, self._block = 0, 1, 0

    def below(self, limit: int) -> int:
        """A number of 0 to `limit` - 1."""
        if self._room < limit << 32:  # so much more than the limit that every result is as likely
            block = hashlib.blake2b(self._seed + self._block.to_bytes(4, "big"), digest_size=_BYTES).digest()
            self._pool, self._room, self._block = int.from_bytes(block, "big"), 1 << (8 * _BYTES), self._block + 1
        self._pool, chosen = divmod(self._pool, limit)
        self._room //= limit
        return chosen

    def of(self, items: Sequence[Item]) -> Item:
        """One of `items`."""
        return items[self.below(len(items))]


def canonical(value: str, kind: str) -> str:
    """What spellings of one value share: without case, width and spacing; numbers and codes without separators."""
    plain = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    if kind in ("person", "address", "place", "organisation", "email", "url", "username"):
        return plain
    return "".join(filter(str.isalnum, plain)) or plain


def signs(text: str) -> str:
    """The letters and digits of a text in small letters: what a change of separators does not hide."""
    return "".join(filter(str.isalnum, text.casefold()))


def mark(key: bytes, plain: str, limit: int) -> int:
    """A number of 0 to `limit` - 1 that only the holder of the key can put on `plain`: a surrogate is known by it."""
    digest = hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), key=key, digest_size=16, person=b"troth/mark")
    return int.from_bytes(digest.digest(), "big") % limit
