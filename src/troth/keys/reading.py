"""Reading pages of the key tree, with a bounded memory of opened ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from troth.kernel.errors import IntegrityError
from troth.keys import pages
from troth.keys.btree import Draft
from troth.keys.cache import Cache
from troth.keys.pages import Header, Page, Ref
from troth.keys.store import KeyStore, PageWrite, StoredPage


@dataclass(frozen=True, slots=True)
class Opened:
    """A page and the row it came from."""

    page: Page
    stored: StoredPage


class PageReader:
    """Opens pages from the database. Raises `IntegrityError` for one that is missing, changed or of another version."""

    def __init__(self, store: KeyStore, limit: int) -> None:
        self._store = store
        self._cache: Cache[Ref, Opened] = Cache(limit)

    def opened(self, ref: Ref) -> Opened:
        """The page with its row."""
        stamp = self._cache.stamp
        found = self._cache.get(ref)
        if found is None:
            found = self._read(ref)
            self._cache.put(ref, found, stamp)
        return found

    def load(self, ref: Ref) -> Page:
        """The page."""
        return self.opened(ref).page

    def remember(self, ref: Ref, opened: Opened) -> None:
        """Put in what was just written."""
        self._cache.put(ref, opened, self._cache.stamp)

    def clear(self) -> None:
        """Forget every page."""
        self._cache.clear()

    def ahead(self, refs: Sequence[Ref]) -> dict[Ref, Opened]:
        """Several pages in few reads."""
        found = {ref: opened for ref in refs if (opened := self._cache.get(ref))}
        missing = {ref.page.hex(): ref for ref in refs if ref not in found}
        stamp = self._cache.stamp
        for stored, content in self._store.pages_of([ref.page for ref in missing.values()]):
            ref = missing[stored.page]
            found[ref] = self._open(ref, stored, content)
            self._cache.put(ref, found[ref], stamp)
        return found

    def _read(self, ref: Ref) -> Opened:
        row = self._store.page(ref.page)
        if row is None:
            raise IntegrityError("A page of the key tree is missing.", code="key-page")
        return self._open(ref, *row)

    def _open(self, ref: Ref, stored: StoredPage, content: bytes) -> Opened:
        header, page = pages.open_sealed(ref, self._store.jurisdiction, content)
        if (header.epoch, header.version) != (stored.epoch, stored.version) or pages.digest(content) != stored.digest:
            raise IntegrityError("A page of the key tree is not of its row's version.", code="key-page")
        return Opened(page, stored)


class Change:
    """A draft over the pages of one moment, and the rows it will replace."""

    def __init__(self, reader: PageReader, jurisdiction: str) -> None:
        self._reader = reader
        self._jurisdiction = jurisdiction
        self.seen: dict[Ref, Opened] = {}
        self.draft = Draft(self._load, self._ahead)

    def writes(self, epoch: int) -> dict[Ref, PageWrite]:
        """The changed pages, sealed for `epoch`; their copies have no place yet."""
        result: dict[Ref, PageWrite] = {}
        for ref, page in self.draft.rewritten.items():
            if ref not in self.draft.retired:
                result[ref] = self._write(ref, page, epoch, self.seen[ref].stored.version)
        for ref, page in self.draft.fresh.items():
            if ref not in self.draft.retired:
                result[ref] = self._write(ref, page, epoch, 0)
        return result

    def page(self, ref: Ref) -> Page:
        """The page as it will be."""
        return self.draft.load(ref)

    def dropped(self) -> list[StoredPage]:
        """Rows of retired pages. A page that was dropped unread is not among them; the next sweep finds it."""
        return [self.seen[ref].stored for ref in self.draft.retired if ref in self.seen]

    def replaced(self) -> list[StoredPage]:
        """Rows whose copies are of no use once the change is in force."""
        return self.dropped() + [self.seen[ref].stored for ref in self.draft.rewritten if ref in self.seen]

    def _write(self, ref: Ref, page: Page, epoch: int, replaces: int) -> PageWrite:
        content = pages.seal(ref, self._jurisdiction, Header(epoch, ref.page, replaces + 1), page)
        stored = StoredPage(ref.page.hex(), epoch, replaces + 1, pages.digest(content))
        return PageWrite(stored, content, replaces)

    def _load(self, ref: Ref) -> Page:
        if ref not in self.seen:
            self.seen[ref] = self._reader.opened(ref)
        return self.seen[ref].page

    def _ahead(self, refs: Sequence[Ref]) -> None:
        missing = [ref for ref in refs if ref not in self.seen]
        if len(missing) > 1:
            self.seen |= self._reader.ahead(missing)
