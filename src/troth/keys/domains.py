"""Key domains: a provider of roots with an object store for its own copies of every page.

Copies are write-once: `kt/<jurisdiction>/<epoch>/<page id>-<version>-<digest>` and `…/manifest-<digest>`. The digest is
in the name so that a write that was lost half-way can never block a later one. Old copies may leak or be restored:
after sealing they are noise.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from troth.kernel.errors import Conflict, IntegrityError, NotFound, TrothError, Unavailable
from troth.keys.pages import digest
from troth.keys.roots.port import Root
from troth.keys.store import PageWrite, StoredPage
from troth.storage.blobs import BlobStore

Thing = TypeVar("Thing")
_MANY = 8  # writes from which on they are made side by side, and how many at once
_DIGEST_DIGITS = 16  # of a name; enough to tell attempts apart


@dataclass(frozen=True, slots=True)
class Domain:
    """One key domain. Domains of one jurisdiction are each other's backup."""

    root: Root
    blobs: BlobStore

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.root.domain


class Copies:
    """The page and manifest copies of one jurisdiction in every domain."""

    def __init__(self, domains: Sequence[Domain], jurisdiction: str) -> None:
        self._domains = domains
        self._prefix = f"kt/{jurisdiction}/"

    def put(self, writes: Iterable[PageWrite]) -> None:
        """Store page versions everywhere. Raises `Unavailable` when one domain does not take them."""
        _each(writes, lambda write: self._create(self._page(write.stored), write.content))

    def put_manifest(self, epoch: int, body: bytes) -> None:
        """Store a manifest everywhere."""
        self._create(f"{self._prefix}{epoch:08d}/manifest-{digest(body)[:_DIGEST_DIGITS]}", body)

    def read_back(self, stored: StoredPage) -> Iterator[bytes]:
        """The page version as each domain has it. Raises `Unavailable` when one lost it."""
        for domain in self._domains:
            try:
                content = domain.blobs.get(self._page(stored))
            except NotFound as error:
                raise _lost() from error
            if digest(content) != stored.digest:
                raise _lost()
            yield content

    def remove(self, pages: Iterable[StoredPage]) -> None:
        """Delete copies that nothing needs. Best effort: what stays is noise or is swept at the next start."""
        _each(pages, self._remove)

    def sweep(self, epoch: int, live: Mapping[str, StoredPage]) -> int:
        """Delete copies that no row leads to and no running write can still commit; how many."""
        count = 0
        for domain in self._domains:
            for name in list(domain.blobs.names(self._prefix)):
                count += _is_stale(name[len(self._prefix) :], epoch, live) and domain.blobs.delete(name)
        return count

    def _remove(self, stored: StoredPage) -> None:
        for domain in self._domains:
            with contextlib.suppress(TrothError):
                domain.blobs.delete(self._page(stored))

    def _create(self, name: str, content: bytes) -> None:
        for domain in self._domains:
            try:
                domain.blobs.create(name, content)
            except Conflict as error:
                if domain.blobs.get(name) != content:
                    raise IntegrityError("A copy of the key tree was overwritten.", code="key-copy") from error

    def _page(self, stored: StoredPage) -> str:
        return f"{self._prefix}{stored.epoch:08d}/{stored.page}-{stored.version}-{stored.digest[:_DIGEST_DIGITS]}"


def _each(things: Iterable[Thing], act: Callable[[Thing], None]) -> None:
    """`act` on everything; side by side when there is much, because each waits for a disk or a network."""
    listed = list(things)
    if len(listed) < _MANY:
        for thing in listed:
            act(thing)
        return
    with ThreadPoolExecutor(_MANY) as pool:
        deque(pool.map(act, listed), maxlen=0)


def _is_stale(name: str, epoch: int, live: Mapping[str, StoredPage]) -> bool:
    folder, _, file = name.partition("/")
    page, *rest = file.split("-")
    if page == "manifest" or len(rest) != 2:
        return page == "manifest" and int(folder) < epoch
    stored, version = live.get(page), int(rest[0])
    if stored is None:
        return int(folder) < epoch  # a write of this epoch or the next may still be under way
    return version < stored.version or (version == stored.version and stored.digest[:_DIGEST_DIGITS] != rest[1])


def _lost() -> Unavailable:
    return Unavailable("A key domain did not keep what it was given; nothing was destroyed.", code="key-copy-lost")
