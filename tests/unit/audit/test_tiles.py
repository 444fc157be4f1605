from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.audit.tiles import WIDTH, Tile, bundle, partials, tiles_of, unbundle
from troth.kernel.errors import IntegrityError, NotFound


def test_the_paths_of_the_specification() -> None:
    assert Tile(0, 1234067).path == "tile/0/x001/x234/067"
    assert Tile(None, 0, 112).path == "tile/entries/000.p/112"
    assert Tile(63, 999).path == "tile/63/999"
    assert Tile(1, 1000, 1).path == "tile/1/x001/000.p/1"


@given(st.none() | st.integers(0, 63), st.integers(0, 10**17), st.integers(1, WIDTH))
def test_paths_read_back(level: int | None, number: int, width: int) -> None:
    assert Tile.parse(Tile(level, number, width).path) == Tile(level, number, width)


@pytest.mark.parametrize(
    "path",
    """tile/0/0 tile/0/x000/001 tile/64/000 tile/00/000 tile/0/001.p/0 tile/0/001.p/256 tile/0/001.p/300 tile/0/001.p/01
    tile/0/1000 tile/0/x01/000 tile/entries/../checkpoint tile/0/000/ tile/data/000 /tile/0/000
    tile/0/\u0660\u0660\u0660""".split(),
)
def test_other_names_do_not_exist(path: str) -> None:
    with pytest.raises(NotFound):
        Tile.parse(path)


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    widths: dict[int | None, list[int]] = {}
    for tile in tiles_of(70_000):
        widths.setdefault(tile.level, []).append(tile.width)
    assert widths[0] == [256] * 273 + [112] == widths[None]
    assert widths[1] == [256, 17]
    assert widths[2] == [1]
    assert list(tiles_of(256)) == [Tile(None, 0), Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 200_000), st.integers(0, 2000))
def test_growth_adds_only_what_is_new(size: int, more: int) -> None:
    before, after = set(tiles_of(size)), set(tiles_of(size + more))
    assert set(tiles_of(size + more, size)) == after - before
    assert partials(size) == {tile for tile in before if tile.width < WIDTH}


@given(st.lists(st.binary(max_size=300), max_size=WIDTH))
def test_bundles_read_back(entries: list[bytes]) -> None:
    assert unbundle(bundle(entries)) == entries


@pytest.mark.parametrize("content", [b"\x00", b"\x00\x02a", b"\x00\x00" * 257])
def test_broken_bundles_are_refused(content: bytes) -> None:
    with pytest.raises(IntegrityError):
        unbundle(content)


def test_an_entry_of_65536_bytes_is_refused() -> None:
    assert len(bundle([b"x" * 65_535])) == 65_537
    with pytest.raises(IntegrityError, match="65,535"):
        bundle([b"x" * 65_536])
