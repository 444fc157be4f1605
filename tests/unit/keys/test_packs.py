"""Packs of pages: what was packed comes out, and nothing else is taken for a pack."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from key_world import World
from troth.kernel.errors import IntegrityError, Unavailable
from troth.keys.packs import pack, unpack


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_packs_give_back_what_was_packed(contents: list[bytes]) -> None:
    assert list(unpack(pack(contents))) == contents


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(body: bytes) -> None:
    for one in (body, b"TKP1" + body, pack([b"page"]) + body + b"x"):
        try:
            found = list(unpack(one))
        except IntegrityError:
            continue
        assert pack(found) == one


def test_a_pack_that_lost_a_page_gives_no_proof(world: World, small_pages: None) -> None:
    made = world.own("ten_a", "usr_a", 80)
    blobs = world.domains[0].blobs._inner  # type: ignore[attr-defined]
    create = blobs.create

    def loses(name: str, content: bytes) -> None:
        create(name, pack(list(unpack(content))[:-1]) if "/pack-" in name else content)

    blobs.create = loses
    with pytest.raises(Unavailable) as refusal:
        world.tree.destroy_units([one.key.id for one in made[::4]])
    assert refusal.value.code == "key-copy-lost"
    blobs.create = create
    assert world.tree.destroy_units([one.key.id for one in made[::4]]).units == 20
    assert world.tree.verify() == 60
