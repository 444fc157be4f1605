"""Upkeep of a key tree: removing what nothing leads to, and proving that all the rest opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from troth.kernel.errors import IntegrityError
from troth.keys import packs
from troth.keys.domains import thin
from troth.keys.pages import Branch, Ref
from troth.keys.state import TreeState
from troth.keys.store import PageWrite, StoredPage


class Upkeep:
    """Sweeps and verifies one tree."""

    def __init__(self, state: TreeState) -> None:
        self._state = state

    def sweep(self) -> int:
        """Delete pages and copies that nothing leads to; how many. What it deletes is noise since its sealing."""
        state = self._state
        with state.lock:
            state.forget()
            epoch = state.epochs.current()
            number = epoch.manifest.epoch
            with state.store.write(number) as connection:  # nobody changes the tree while it is walked
                reachable = {ref.page.hex() for ref in self._reachable(epoch.root)}
                rows = state.store.pages(connection)
                # Pages of a later epoch belong to a seal under way.
                orphans = [row.page for row in rows if row.page not in reachable and row.epoch <= number]
                state.store.discard_pages(connection, orphans)
            live = {row.page: row for row in rows if row.page in reachable}
            live |= {row.page: row for row in self._placed([bytes.fromhex(row.page) for row in thin(live.values())])}
            return len(orphans) + state.copies.sweep(number, live)

    def verify(self) -> int:
        """Open every page in the database and in every domain; how many unit keys were found.

        Raises `IntegrityError` or `Unavailable` at the first that does not open, differs, or is missing.
        """
        state = self._state
        with state.lock:
            state.forget()
            count = 0
            stored: list[StoredPage] = []
            for ref in self._walk(state.epochs.current().root):
                opened = state.reader.opened(ref)
                stored.append(opened.stored)
                count += 0 if isinstance(opened.page, Branch) else len(opened.page)
            state.copies.confirm(stored)  # each copy has the digest of the page that was just opened
            return count

    def replicate(self) -> int:
        """Give every domain every page, as for a domain that is new or lost its store; how many pages there are.

        A new domain also needs its root: rotate afterwards.
        """
        state = self._state
        with state.lock:
            state.forget()
            return len(self._placed([ref.page for ref in self._walk(state.epochs.current().root)]))

    def _placed(self, refs: Sequence[bytes]) -> list[StoredPage]:
        """Store copies of these pages anew in every domain. Raises `Conflict` when one changed meanwhile."""
        state = self._state
        epoch = state.epochs.current().manifest.epoch
        placed: list[StoredPage] = []
        for start in range(0, len(refs), packs.MOST):
            group = refs[start : start + packs.MOST]
            writes = [PageWrite(*row, replaces=0) for row in state.store.pages_of(group)]
            if len(writes) != len(group):
                raise IntegrityError("A page of the key tree is missing.", code="key-page")
            loose = [replace(one, stored=replace(one.stored, pack="")) for one in writes]
            placed += [one.stored for one in state.copies.put(loose, epoch)]
        with state.store.write(epoch) as connection:
            state.store.place_pages(connection, placed)
        return placed

    def _walk(self, ref: Ref) -> Iterator[Ref]:
        yield ref
        page = self._state.reader.load(ref)
        for child in page.children if isinstance(page, Branch) else ():
            yield from self._walk(child)

    def _reachable(self, root: Ref) -> Iterator[Ref]:
        """Every page's ref. All leaves have the same depth, so they are named without being opened."""
        yield root
        level = [root]
        while isinstance(self._state.reader.load(level[0]), Branch):
            below: list[Ref] = []
            for ref in level:
                page = self._state.reader.load(ref)
                below += page.children if isinstance(page, Branch) else ()
            yield from below
            level = below
