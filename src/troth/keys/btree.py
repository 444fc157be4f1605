"""Insert into and erase from the tree of pages, as a draft that nobody sees before it is committed. No I/O.

One invariant makes erasure complete: **whenever an entry leaves a page (erased, or moved by a split), that page's key
is retired**. A retired key is found only in old versions of pages that are still ancestors of everything it ever
opened, so re-keying today's path to an entry cuts off every version of every page that ever held it.
(Reardon, Ritzdorf, Basin, Capkun: Secure data deletion from persistent media, CCS 2013.)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from troth.keys.leaf import Leaf, Range
from troth.keys.pages import LOWEST, Branch, Page, Ref
from troth.keys.units import ADDRESS_BYTES

LEAF_MAX = 224  # entries: a page of at most about 8 KiB when subjects have several units each
BRANCH_MAX = 96  # children: about 8 KiB
_FILL = 0.75  # of a page when a batch makes many pages at once
_TOP = b"\xff" * (ADDRESS_BYTES + 1)  # above every address

Part = tuple[bytes, Ref]  # lowest address, child


class Draft:
    """A changed tree: pages rewritten under their own key, pages under fresh keys, keys retired."""

    def __init__(
        self, load: Callable[[Ref], Page], ahead: Callable[[Sequence[Ref]], None] = lambda _refs: None
    ) -> None:
        self._load = load
        self.ahead = ahead  # told which pages will be loaded next, to read them together
        self.rewritten: dict[Ref, Page] = {}
        self.fresh: dict[Ref, Page] = {}
        self.retired: set[Ref] = set()
        self.taken: set[bytes] = set()  # addresses that could not be inserted because they are in use

    def load(self, ref: Ref) -> Page:
        """The page as the draft has it."""
        for pages in (self.fresh, self.rewritten):
            if ref in pages:
                return pages[ref]
        return self._load(ref)

    def rewrite(self, ref: Ref, page: Page) -> None:
        """Same key, more content: nothing may have left the page."""
        (self.fresh if ref in self.fresh else self.rewritten)[ref] = page

    def add(self, page: Page, ref: Ref | None = None) -> Ref:
        """A page under a fresh key, or under that of `ref`, which must be fresh."""
        ref = ref or Ref.fresh()
        self.fresh[ref] = page
        return ref

    def retire(self, ref: Ref) -> None:
        """Its key goes out of use."""
        self.retired.add(ref)


def find(load: Callable[[Ref], Page], root: Ref, address: bytes) -> bytes | None:
    """The secret at an address, or None."""
    page = load(root)
    while isinstance(page, Branch):
        page = load(page.children[bisect_right(page.bounds, address, lo=1) - 1])
    return page.get(address)


def insert(draft: Draft, root: Ref, entries: Mapping[bytes, bytes]) -> None:
    """Add secrets by address. Addresses in use are left alone and listed in `draft.taken`.

    The root keeps its key: everything stays below it, and the manifest need not change.
    """
    pages = _grown(draft, root, LOWEST, sorted(entries.items()))
    if pages is None:
        return
    while len(pages) > 1:
        pages = _branches([(bound, draft.add(page)) for bound, page in pages])
    draft.rewrite(root, pages[0][1])


def erase(draft: Draft, root: Ref, ranges: Sequence[Range], fresh: Ref | None = None) -> Ref:
    """Drop every address in `ranges` (from `merged`), re-keying each path once; the root's new ref (or `fresh`)."""
    kept = _kept(draft, draft.load(root), (LOWEST, _TOP), ranges)
    draft.retire(root)
    return draft.add(kept or Leaf(), fresh)


def rekey(draft: Draft, root: Ref, fresh: Ref | None = None) -> Ref:
    """The same tree with a fresh key for every page; the root's new ref (or `fresh`)."""
    page = draft.load(root)
    if isinstance(page, Branch):
        draft.ahead(page.children)
        page = Branch(page.bounds, tuple(rekey(draft, child) for child in page.children))
    draft.retire(root)
    return draft.add(page, fresh)


def prefix_range(prefix: bytes) -> Range:
    """All addresses that begin with `prefix`."""
    following = int.from_bytes(prefix, "big") + 1
    if following >> (8 * len(prefix)):
        return prefix.ljust(ADDRESS_BYTES, b"\x00"), _TOP
    padding = b"\x00" * (ADDRESS_BYTES - len(prefix))
    return prefix + padding, following.to_bytes(len(prefix), "big") + padding


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same addresses as sorted ranges that do not touch each other."""
    result: list[Range] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1]:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return result


def covers(ranges: Sequence[Range], address: bytes) -> bool:
    """True when one of the merged ranges holds the address."""
    at = bisect_right(ranges, (address, _TOP)) - 1
    return at >= 0 and address < ranges[at][1]


def _grown(draft: Draft, ref: Ref, bound: bytes, items: list[tuple[bytes, bytes]]) -> list[tuple[bytes, Page]] | None:
    """The page's content with `items` added, as one page or several; None when only pages below it changed."""
    page = draft.load(ref)
    if isinstance(page, Leaf):
        draft.taken |= {place for place, _ in items if page.get(place)}
        return _leaves(bound, {**dict(items), **page.entries})
    parts: list[Part] = []
    lows, limits = (bound, *page.bounds[1:]), (*page.bounds[1:], _TOP)
    start = 0
    for low, limit, child in zip(lows, limits, page.children, strict=True):
        end = bisect_left(items, limit, lo=start, key=lambda item: item[0])
        parts += _inserted(draft, child, low, items[start:end]) if end > start else [(low, child)]
        start = end
    if tuple(child for _, child in parts) == page.children:
        return None
    return _branches(parts)


def _inserted(draft: Draft, ref: Ref, bound: bytes, items: list[tuple[bytes, bytes]]) -> list[Part]:
    pages = _grown(draft, ref, bound, items)
    if pages is None:
        return [(bound, ref)]
    if len(pages) == 1:
        draft.rewrite(ref, pages[0][1])
        return [(bound, ref)]
    draft.retire(ref)  # entries moved to sisters, so this key must not open them from old versions
    return [(low, draft.add(page)) for low, page in pages]


def _leaves(bound: bytes, entries: dict[bytes, bytes]) -> list[tuple[bytes, Page]]:
    if len(entries) <= LEAF_MAX:
        return [(bound, Leaf.of(entries))]
    ordered = sorted(entries.items())
    chunks = _chunks(len(ordered), LEAF_MAX)
    pages: list[tuple[bytes, Page]] = [(ordered[a][0], Leaf.of(dict(ordered[a:b]))) for a, b in chunks]
    return [(bound, pages[0][1]), *pages[1:]]


def _branches(parts: list[Part]) -> list[tuple[bytes, Page]]:
    return [
        (parts[a][0], Branch(tuple(low for low, _ in parts[a:b]), tuple(ref for _, ref in parts[a:b])))
        for a, b in _chunks(len(parts), BRANCH_MAX)
    ]


def _chunks(count: int, most: int) -> list[tuple[int, int]]:
    """Even cuts of `count` things into pieces of at most `most`, with room to grow when there are several."""
    pieces = 1 if count <= most else -(-count // int(most * _FILL))
    edges = [count * piece // pieces for piece in range(pieces + 1)]
    return list(pairwise(edges))


def _kept(draft: Draft, page: Page, span: Range, ranges: Sequence[Range]) -> Page | None:
    """The page's content without the ranges; the same object when nothing left it, None when nothing stays."""
    if isinstance(page, Leaf):
        left = page.without(ranges)
        return left if left.runs else None
    lows, limits = (span[0], *page.bounds[1:]), (*page.bounds[1:], span[1])
    children = [
        (low, limit, child, _touching((low, limit), ranges))
        for low, limit, child in zip(lows, limits, page.children, strict=True)
    ]
    draft.ahead([child for low, limit, child, near in children if near and not _whole((low, limit), near)])
    parts: list[Part] = []
    for low, limit, child, near in children:
        kept = _remaining(draft, child, (low, limit), near) if near else child
        parts += [(low, kept)] if kept else []
    if tuple(ref for _, ref in parts) == page.children:
        return page
    # Every address has a child: the first takes over all that are lower, each other all up to the next bound.
    bounds = (span[0], *(low for low, _ in parts[1:]))
    return Branch(bounds, tuple(ref for _, ref in parts)) if parts else None


def _touching(span: Range, ranges: Sequence[Range]) -> Sequence[Range]:
    first = bisect_right(ranges, span[0], key=lambda one: one[1])
    return ranges[first : bisect_left(ranges, span[1], key=lambda one: one[0])]


def _whole(span: Range, touching: Sequence[Range]) -> bool:
    return touching[0][0] <= span[0] and span[1] <= touching[0][1]


def _remaining(draft: Draft, ref: Ref, span: Range, touching: Sequence[Range]) -> Ref | None:
    if _whole(span, touching):
        draft.retire(ref)  # the whole child goes, unread
        return None
    page = draft.load(ref)
    kept = _kept(draft, page, span, touching)
    if kept is page:
        return ref
    draft.retire(ref)
    return draft.add(kept) if kept else None
