"""The tree of pages against a dict, with an adversary who keeps every version of every page."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.keys import btree
from troth.keys.btree import Draft, erase, find, insert, merged, prefix_range
from troth.keys.leaf import Leaf
from troth.keys.pages import Branch, Page, Ref
from troth.keys.units import ADDRESS_BYTES


class Pages:
    """Committed pages, and every version that ever was."""

    def __init__(self) -> None:
        self.root = Ref.fresh()
        self.now: dict[Ref, Page] = {self.root: Leaf()}
        self.ever: dict[Ref, list[Page]] = {self.root: [Leaf()]}

    def load(self, ref: Ref) -> Page:
        return self.now[ref]

    def insert(self, entries: dict[bytes, bytes]) -> set[bytes]:
        draft = Draft(self.load)
        insert(draft, self.root, entries)
        self._commit(draft)
        return draft.taken

    def erase(self, prefixes: list[bytes]) -> Draft:
        draft = Draft(self.load)
        self.root = erase(draft, self.root, merged(prefix_range(one) for one in prefixes))
        self._commit(draft)
        return draft

    def _commit(self, draft: Draft) -> None:
        for ref, page in {**draft.rewritten, **draft.fresh}.items():
            self.now[ref] = page
            self.ever.setdefault(ref, []).append(page)
        for ref in draft.retired:
            self.now.pop(ref, None)

    def recoverable(self) -> dict[bytes, set[bytes]]:
        """What today's root key opens in all versions of all pages."""
        found: dict[bytes, set[bytes]] = {}
        waiting, seen = [self.root], {self.root}
        while waiting:
            for page in self.ever[waiting.pop()]:
                if isinstance(page, Branch):
                    fresh = set(page.children) - seen
                    seen |= fresh
                    waiting += fresh
                else:
                    for place, secret in page.entries.items():
                        found.setdefault(place, set()).add(secret)
        return found

    def depth(self) -> int:
        depth, page = 1, self.load(self.root)
        while isinstance(page, Branch):
            depth, page = depth + 1, self.load(page.children[-1])
        return depth


def place(tenant: int, subject: int, unit: int) -> bytes:
    return bytes([tenant]) * 16 + bytes([subject]) * 16 + hashlib.sha256(b"%d" % unit).digest()[:4]


_places = st.builds(place, st.sampled_from([0, 7, 255]), st.integers(0, 255), st.integers(0, 40))
_prefixes = st.tuples(_places, st.sampled_from([16, 32, ADDRESS_BYTES])).map(lambda pair: pair[0][: pair[1]])
_steps = st.lists(
    st.one_of(st.sets(_places, min_size=1, max_size=12), st.lists(_prefixes, min_size=1, max_size=4)), max_size=25
)


@given(steps=_steps)
@settings(max_examples=150, deadline=None)
def test_matches_a_dict_and_leaves_nothing_to_recover(steps: list[set[bytes] | list[bytes]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(btree, "LEAF_MAX", 3)
        patch.setattr(btree, "BRANCH_MAX", 3)
        tree, model = Pages(), {}
        for number, step in enumerate(steps):
            if isinstance(step, set):
                entries = {one: hashlib.sha256(one + bytes([number])).digest() for one in step}
                assert tree.insert(entries) == step & model.keys()
                model = {**entries, **model}
            else:
                tree.erase(step)
                model = {one: secret for one, secret in model.items() if not any(one.startswith(p) for p in step)}
                # Re-inserting an address later draws another secret, so each secret is either live or gone for good.
            assert {one: find(tree.load, tree.root, one) for one in model} == model
            assert tree.recoverable() == {one: {secret} for one, secret in model.items()}


def test_an_adversary_finds_a_key_when_a_split_does_not_retire_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: without the invariant, old versions give erased keys away."""
    monkeypatch.setattr(btree, "LEAF_MAX", 3)
    monkeypatch.setattr(btree, "BRANCH_MAX", 3)
    monkeypatch.setattr(btree, "_inserted", _careless)
    tree = Pages()
    entries = {place(1, subject, 0): bytes([subject]) * 32 for subject in range(60)}
    for one, secret in entries.items():
        tree.insert({one: secret})
    erased = sorted(entries)[40:]
    for one in erased:
        tree.erase([one])
    assert set(erased) & tree.recoverable().keys()


def _careless(draft: Draft, ref: Ref, bound: bytes, items: list[tuple[bytes, bytes]]) -> list[btree.Part]:
    grown = btree._grown(draft, ref, bound, items)
    if grown is None:
        return [(bound, ref)]
    draft.rewrite(ref, grown[0][1])  # the first half keeps the old key
    return [(bound, ref), *((low, draft.add(page)) for low, page in grown[1:])]


def test_adding_one_unit_rewrites_one_page() -> None:
    tree = Pages()
    tree.insert({place(1, one % 200, one): bytes(32) for one in range(20_000)})
    assert tree.depth() == 3
    draft = Draft(tree.load)
    insert(draft, tree.root, {place(1, 3, 99_999): bytes(32)})
    assert len(draft.rewritten) == 1
    assert not draft.fresh
    assert not draft.retired


@pytest.mark.parametrize("units", [1, 100, 20_000])
def test_erasing_a_subject_touches_paths_not_units(units: int) -> None:
    tree = Pages()
    tree.insert({place(1, one % 200, one): bytes(32) for one in range(20_000)})
    tree.insert({bytes([1]) * 16 + bytes([3] * 15 + [9]) + one.to_bytes(4, "big"): bytes(32) for one in range(units)})
    draft = tree.erase([bytes([1]) * 16 + bytes([3] * 15 + [9])])
    assert len(draft.fresh) <= 2 * 3  # two edges of the range, three levels
    assert not any(place.startswith(bytes([1]) * 16 + bytes([3] * 15 + [9])) for place in tree.recoverable())


def test_erasing_everything_leaves_an_empty_tree_that_can_grow_again() -> None:
    tree = Pages()
    tree.insert({place(1, one % 200, one): bytes(32) for one in range(5_000)})
    tree.erase([b""])
    assert tree.load(tree.root) == Leaf()
    tree.insert({place(2, 2, 2): bytes(32)})
    assert find(tree.load, tree.root, place(2, 2, 2)) == bytes(32)


def test_the_range_of_a_prefix_ends_before_the_next_prefix() -> None:
    low, high = prefix_range(b"\x01\xff")
    assert low == b"\x01\xff" + bytes(34)
    assert high == b"\x02\x00" + bytes(34)
    assert prefix_range(b"\xff" * 16)[1] > b"\xff" * ADDRESS_BYTES
    assert merged([(b"a", b"c"), (b"b", b"d"), (b"x", b"y")]) == [(b"a", b"d"), (b"x", b"y")]
