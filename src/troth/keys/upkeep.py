"""Upkeep of a key tree: removing what nothing leads to, and proving that all the rest opens."""

from __future__ import annotations

from collections.abc import Iterator

from troth.kernel.errors import IntegrityError
from troth.keys.pages import Branch, Ref
from troth.keys.state import TreeState
from troth.keys.store import PageWrite


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
            return len(orphans) + state.copies.sweep(number, live)

    def verify(self) -> int:
        """Open every page in the database and in every domain; how many unit keys were found.

        Raises `IntegrityError` or `Unavailable` at the first that does not open, differs, or is missing.
        """
        state = self._state
        with state.lock:
            state.forget()
            count = 0
            for ref in self._walk(state.epochs.current().root):
                opened = state.reader.opened(ref)
                for _ in state.copies.read_back(opened.stored):
                    pass  # each copy has the digest of the page that was just opened, or it raises
                count += 0 if isinstance(opened.page, Branch) else len(opened.page.entries)
            return count

    def replicate(self) -> int:
        """Give every domain every page, as for a domain that is new or lost its store; how many pages there are.

        A new domain also needs its root: rotate afterwards.
        """
        state = self._state
        with state.lock:
            state.forget()
            refs = list(self._walk(state.epochs.current().root))
            for ref in refs:
                if (row := state.store.page(ref.page)) is None:
                    raise IntegrityError("A page of the key tree is missing.", code="key-page")
                state.copies.put([PageWrite(*row, replaces=0)])
            return len(refs)

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
