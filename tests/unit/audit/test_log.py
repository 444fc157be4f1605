from __future__ import annotations

import pytest

from database_world import owned
from log_world import World
from troth.audit import log as log_module
from troth.audit.log import Filter, immutable, media_type
from troth.audit.tiles import unbundle
from troth.kernel.errors import IntegrityError, NotFound, Unavailable
from troth.kernel.record import Outcome


def test_entries_in_both_directions(world: World) -> None:
    world.grow(20)
    leaves = world.leaves()
    assert len(leaves) == 20
    assert [one.index for one in world.reader.entries("operator", 3, 4)] == [3, 4, 5, 6]
    assert [one.index for one in world.reader.entries("operator", 3, 10, newest_first=True)] == [3, 2, 1, 0]
    assert [one.index for one in world.reader.entries("operator", 18, 10)] == [18, 19]
    assert world.reader.entries("operator", 25, 10) == []
    assert world.reader.entry("operator", 7) == leaves[7]
    assert world.reader.entries("operator", 7, 1)[0].leaf == leaves[7]


def test_what_is_not_there(world: World) -> None:
    for ask in (
        lambda: world.reader.head("operator"),
        lambda: world.reader.size("operator"),
        lambda: world.reader.entry("operator", 0),
        lambda: world.publisher.resource("operator", "checkpoint"),
    ):
        with pytest.raises(NotFound):
            ask()
    world.grow(3)
    for index in (-1, 3):
        with pytest.raises(NotFound):
            world.reader.entry("operator", index)


def test_the_head_is_what_was_signed(world: World) -> None:
    world.grow(3)
    head = world.reader.head("operator")
    assert head.size == 3 == world.reader.size("operator")
    assert head.checkpoint == world.publisher.resource("operator", "checkpoint")


def test_an_unsigned_log_has_entries_but_no_head(world: World) -> None:
    world.wait_for(3)
    world.sequencer.integrate()
    assert world.reader.size("operator") == 3
    with pytest.raises(Unavailable) as caught:
        world.reader.head("operator")
    assert caught.value.code == "no-checkpoint"


def test_only_signed_tiles_are_served(world: World) -> None:
    world.grow(10)
    world.wait_for(300, start=10)
    world.sequencer.integrate()
    assert len(unbundle(world.publisher.resource("operator", "tile/entries/000.p/4"))) == 4
    assert len(world.publisher.resource("operator", "tile/0/000.p/10")) == 320
    for path in ("tile/0/000.p/11", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1", "tile/entries/000", "x"):
        with pytest.raises(NotFound):
            world.publisher.resource("operator", path)


def test_how_resources_are_served() -> None:
    assert media_type("checkpoint").startswith("text/plain")
    assert media_type("tile/0/000") == "application/octet-stream"
    assert immutable("tile/0/000")
    assert not immutable("checkpoint")


def test_filters(world: World) -> None:
    world.grow(5)
    world.grow(2, start=5, actor="usr_b", operation="object.keep", outcome=Outcome.REFUSED)
    world.grow(1, start=7, actor="svc_x", facts={"subject": "usr_b"})
    start = 1_700_000_000_000

    def found(**wanted: object) -> list[int]:
        page = world.reader.page("operator", Filter(**wanted), before=None, limit=50)  # type: ignore[arg-type]
        assert page.next is None
        return [one.index for one in page.entries]

    assert found() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert found(operation="object.keep") == [6, 5] == found(outcome="refused")
    assert found(actor="usr_b") == [6, 5] == found(own=("usr_b", None))
    assert found(own=("usr_b", "usr_b")) == [7, 6, 5]
    assert found(own=("usr_b", "usr_b"), outcome="done") == [7]
    assert found(since=start + 6) == [7, 6]
    assert found(until=start + 2) == [1, 0]
    assert found(actor="nobody") == []


def test_pages_join_without_gap_or_double(world: World) -> None:
    world.grow(23)
    seen, before = [], None
    while True:
        page = world.reader.page("operator", Filter(own=("usr_a", "usr_a")), before=before, limit=5)
        seen += [one.index for one in page.entries]
        before = page.next
        if before is None:
            break
    assert seen == list(range(22, -1, -1))


def test_a_filtered_page_looks_at_a_bounded_stretch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "SCANNED", 10)
    world.grow(1, operation="rare.one")
    world.grow(24, start=1)
    pages, before = [], None
    for _ in range(3):
        page = world.reader.page("operator", Filter(operation="rare.one"), before=before, limit=5)
        pages.append(([one.index for one in page.entries], page.next))
        before = page.next
    assert pages == [([], 15), ([], 5), ([0], None)]


@pytest.mark.parametrize("who", [{"actor": "usr_b"}, {"subject": "usr_b"}, {"own": ("usr_b", "usr_b")}])
def test_a_page_of_one_person_looks_at_so_many_of_theirs(
    world: World, monkeypatch: pytest.MonkeyPatch, who: dict[str, str]
) -> None:
    monkeypatch.setattr(log_module, "SCANNED", 10)
    theirs = {"actor": "usr_b", "facts": {"subject": "usr_b"}}
    world.grow(1, operation="rare.one", **theirs)
    for start in range(1, 25, 2):  # every second entry is theirs
        world.grow(1, start=start)
        world.grow(1, start=start + 1, **theirs)
    pages, before = [], None
    for _ in range(2):
        page = world.reader.page("operator", Filter(operation="rare.one", **who), before=before, limit=5)  # type: ignore[arg-type]
        pages.append(([one.index for one in page.entries], page.next))
        before = page.next
    assert pages == [([], 6), ([0], None)]


def test_about_where_a_moment_begins(world: World) -> None:
    world.grow(40, time=1_000)
    world.grow(40, start=40, time=2_000)
    assert [world.reader.since("operator", moment) for moment in (0, 1_000, 1_001, 2_000, 2_001)] == [0, 0, 40, 40, 80]


def test_what_a_clock_wrote_that_was_ahead_hides_nothing_later(world: World) -> None:
    world.grow(40, time=1_000)
    world.grow(50, start=40, time=9_000)
    for at in range(40):
        world.grow(1, start=90 + at, time=1_100 + at)
    assert world.reader.since("operator", 1_120) == 110


def test_a_hole_in_the_database_is_an_integrity_error(world: World) -> None:
    world.grow(5)
    with owned(world.database) as connection:
        connection.exec_driver_sql("DELETE FROM audit_entries WHERE position = 2")
    with pytest.raises(IntegrityError, match="Entry 2"):
        world.reader.entries("operator", 0, 5)
