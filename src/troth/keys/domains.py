"""Key domains: a provider of roots with an object store for its own copies of every page.

Copies are write-once: `kt/<jurisdiction>/<epoch>/<page id>-<version>-<digest>`, `…/manifest-<digest>` and, for many
pages at once, `…/pack-<pages>-<digest>`; a page's row says in which pack its copy lies. The digest is in the name so
that a write that was lost half-way can never block a later one. Old copies may leak or be restored: after sealing they
are noise.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from troth.kernel.errors import Conflict, IntegrityError, NotFound, TrothError, Unavailable
from troth.keys import packs
from troth.keys.pages import digest
from troth.keys.roots.port import Root
from troth.keys.store import PageWrite, StoredPage
from troth.storage.blobs import BlobStore

Thing = TypeVar("Thing")
_MANY = 8  # pages from which on they share a pack; and how many things are done side by side
_THIN = 4  # a pack of which less than one in so many pages is used is emptied
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

    def put(self, writes: Sequence[PageWrite], epoch: int) -> list[PageWrite]:
        """Store page versions everywhere; the writes, with the places of their copies.

        Raises `Unavailable` when one domain does not take them.
        """
        if len(writes) < _MANY:
            for write in writes:
                self._create(self._page(write.stored), write.content)
            return list(writes)
        placed: list[PageWrite] = []
        bodies: dict[str, bytes] = {}
        for start in range(0, len(writes), packs.MOST):
            group = writes[start : start + packs.MOST]
            body = packs.pack([one.content for one in group])
            name = f"{epoch:08d}/pack-{len(group)}-{digest(body)[:_DIGEST_DIGITS]}"
            bodies[self._prefix + name] = body
            placed += [replace(one, stored=replace(one.stored, pack=name)) for one in group]
        _each(bodies.items(), lambda one: self._create(*one))
        return placed

    def put_manifest(self, epoch: int, body: bytes) -> None:
        """Store a manifest everywhere."""
        self._create(f"{self._prefix}{epoch:08d}/manifest-{digest(body)[:_DIGEST_DIGITS]}", body)

    def confirm(self, pages: Iterable[StoredPage]) -> None:
        """Raises `Unavailable` unless every domain gives each page version back as it was given."""
        wanted: dict[str, set[str]] = {}
        for one in pages:
            wanted.setdefault(self._page(one), set()).add(one.digest)
        _each(wanted.items(), lambda one: self._require(*one))

    def remove(self, pages: Iterable[StoredPage]) -> None:
        """Delete copies that nothing needs. Best effort: what stays is noise or is swept at the next start."""
        _each([one for one in pages if not one.pack], self._remove)

    def sweep(self, epoch: int, live: Mapping[str, StoredPage]) -> int:
        """Delete copies that no row leads to and no running write can still commit; how many."""
        used = {one.pack for one in live.values()}
        count = 0
        for domain in self._domains:
            for name in list(domain.blobs.names(self._prefix)):
                place = name[len(self._prefix) :]
                count += place not in used and _is_stale(place, epoch, live) and domain.blobs.delete(name)
        return count

    def _require(self, name: str, digests: set[str]) -> None:
        for domain in self._domains:
            try:
                content = domain.blobs.get(name)
            except NotFound as error:
                raise _lost() from error
            found = {digest(one) for one in (packs.unpack(content) if content[:4] == packs.MAGIC else [content])}
            if digests - found:
                raise _lost()

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
        if stored.pack:
            return self._prefix + stored.pack
        return f"{self._prefix}{stored.epoch:08d}/{stored.page}-{stored.version}-{stored.digest[:_DIGEST_DIGITS]}"


def _each(things: Iterable[Thing], act: Callable[[Thing], None]) -> None:
    """`act` on everything; side by side, because each waits for a disk or a network."""
    listed = list(things)
    if len(listed) < 2:
        for thing in listed:
            act(thing)
        return
    with ThreadPoolExecutor(_MANY) as pool:
        deque(pool.map(act, listed), maxlen=0)


def thin(live: Iterable[StoredPage]) -> list[StoredPage]:
    """Pages in packs of which little is used any more: they are to be placed anew, so that the packs can go."""
    by_pack: dict[str, list[StoredPage]] = {}
    for one in live:
        if one.pack:
            by_pack.setdefault(one.pack, []).append(one)
    return [page for name, pages in by_pack.items() if len(pages) * _THIN < int(name.split("-")[1]) for page in pages]


def _is_stale(name: str, epoch: int, live: Mapping[str, StoredPage]) -> bool:
    folder, _, file = name.partition("/")
    page, *rest = file.split("-")
    stored = live.get(page)
    if page in ("manifest", "pack") or len(rest) != 2 or stored is None:
        return int(folder) < epoch  # a write of this epoch or the next may still be under way
    version = int(rest[0])
    if stored.pack:
        return version <= stored.version
    return version < stored.version or (version == stored.version and stored.digest[:_DIGEST_DIGITS] != rest[1])


def _lost() -> Unavailable:
    return Unavailable("A key domain did not keep what it was given; nothing was destroyed.", code="key-copy-lost")
