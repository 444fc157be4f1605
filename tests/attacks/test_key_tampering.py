"""Whoever can write to database, copies or folders gains nothing but an alarm."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from key_world import Made, World
from troth.kernel.errors import Gone, IntegrityError, TrothError, Unavailable
from troth.keys.roots.local import LocalRoot
from troth.storage.database import Database


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("troth.keys.btree.LEAF_MAX", 4)
    made = World(tmp_path)
    yield made
    made.close()


def _pages(world: World) -> list[tuple[str, bytes]]:
    with world.database.read() as connection:
        rows = connection.execute(text("SELECT page, content FROM key_page ORDER BY page"))
        return [(str(page), bytes(content)) for page, content in rows]


def _set_page(world: World, page: str, content: bytes) -> None:
    with world.database.write() as connection:
        values = {"page": page, "content": content}
        connection.execute(text("UPDATE key_page SET content = :content WHERE page = :page"), values)


def _opening(world: World, made: list[Made]) -> list[Made]:
    """Those that a fresh process opens; every other must refuse aloud, with the right key or none at all."""
    world.tree._state.forget()
    opened = []
    for one in made:
        try:
            assert world.tree.key(one.key.id) == one.key
        except IntegrityError:
            continue
        opened.append(one)
    return opened


def test_flipped_bits_in_pages_are_seen(world: World) -> None:
    made = world.own("ten_a", "usr_a", 20)
    for page, content in _pages(world):
        for at in (0, 5, 20, 30, 40, 60, 90, len(content) - 1):
            changed = bytearray(content)
            changed[at] ^= 1
            _set_page(world, page, bytes(changed))
            assert len(_opening(world, made)) < len(made)
            with pytest.raises(IntegrityError):
                world.tree.verify()
        _set_page(world, page, content)
    assert _opening(world, made) == made


def test_swapped_pages_are_seen(world: World) -> None:
    made = world.own("ten_a", "usr_a", 20)
    (first, one), (second, other) = _pages(world)[:2]
    _set_page(world, first, other)
    _set_page(world, second, one)
    assert len(_opening(world, made)) < len(made)


def test_an_older_version_of_a_page_does_not_pass_for_todays(world: World) -> None:
    made = world.own("ten_a", "usr_a", 3)
    (page, before), *_ = _pages(world)
    made += world.own("ten_a", "usr_a", 1)
    _set_page(world, page, before)
    assert _opening(world, made) == []
    with pytest.raises(IntegrityError):
        world.tree.verify()


def test_swapped_unit_rows_give_no_foreign_key(world: World) -> None:
    """Editing the table cannot make one person's content be sealed under, or opened with, another's key."""
    mine, theirs = world.own("ten_a", "usr_a", 1)[0], world.own("ten_a", "usr_b", 1)[0]
    with world.database.write() as connection:
        values = {"id": mine.key.id.hex(), "subject": theirs.subject}
        connection.execute(text("UPDATE unit SET subject = :subject WHERE id = :id"), values)
    world.tree._state.forget()
    with pytest.raises(IntegrityError):
        world.tree.key(mine.key.id)
    with world.database.write() as connection:
        values = {"id": mine.key.id.hex(), "subject": mine.subject}
        connection.execute(text("UPDATE unit SET subject = :subject, generation = 2 WHERE id = :id"), values)
    assert world.tree.key(mine.key.id).key != mine.key.key


def test_a_forged_revocation_state_resurrects_nothing(world: World) -> None:
    (one,), (other,) = world.own("ten_a", "usr_a"), world.own("ten_a", "usr_b")
    world.tree.destroy_subject("ten_a", "usr_a")
    with world.database.write() as connection:
        connection.execute(text("UPDATE key_scope SET state = 'active', sealed_epoch = NULL"))
        connection.execute(text("UPDATE unit SET state = 'active'"))
    world.reopen()
    with pytest.raises(IntegrityError):
        world.tree.key(one.key.id)
    assert world.tree.key(other.key.id) == other.key


def test_a_database_rolled_back_past_an_erasure_does_not_open_and_destroys_nothing(world: World) -> None:
    made = world.own("ten_a", "usr_a", 2) + world.own("ten_a", "usr_b", 2)
    old = _snapshot(world, "old")
    world.tree.destroy_subject("ten_a", "usr_a")
    new = _snapshot(world, "new")
    roots = world.roots[0].present()
    _restore(world, old)
    with pytest.raises(IntegrityError) as refusal:
        world.tree.key(made[0].key.id)
    assert refusal.value.code == "tree-rolled-back"
    with pytest.raises(IntegrityError) as refusal:
        world.tree.resume()
    assert refusal.value.code == "tree-rolled-back"
    assert world.roots[0].present() == roots
    _restore(world, new)
    assert world.tree.resume()
    assert world.tree.key(made[2].key.id) == made[2].key
    with pytest.raises(Gone):
        world.tree.key(made[0].key.id)


def test_a_database_rolled_back_while_an_old_root_still_stands_is_refused_too(world: World) -> None:
    """Roots restored from a snapshot: the old tree would open, but a root that it never saw gives it away."""
    world.own("ten_a", "usr_a", 2)
    old = _snapshot(world, "old")
    folder = world.folder / "roots-0"
    shutil.copytree(folder, world.folder / "stolen")
    world.tree.destroy_subject("ten_a", "usr_a")
    for path in (world.folder / "stolen").glob("*.root"):
        shutil.copy(path, folder)
    assert len(world.roots[0].present()) == 2
    _restore(world, old)
    with pytest.raises(IntegrityError) as refusal:
        world.tree.resume()
    assert refusal.value.code == "unknown-root"
    assert len(world.roots[0].present()) == 2


def test_a_root_that_came_back_is_destroyed_again_and_said_aloud(world: World) -> None:
    (one,), (other,) = world.own("ten_a", "usr_a", 1), world.own("ten_a", "usr_b", 1)
    folder = world.folder / "roots-0"
    shutil.copytree(folder, world.folder / "stolen")
    world.tree.destroy_subject("ten_a", "usr_a")
    world.keep()
    for path in (world.folder / "stolen").glob("*.root"):
        shutil.copy(path, folder)
    assert len(world.roots[0].present()) == 2
    with pytest.raises(IntegrityError) as refusal:
        world.tree.resume()
    assert refusal.value.code == "root-returned"
    assert len(world.roots[0].present()) == 1
    assert not world.history.opens(one, world.history.secrets(world.roots))
    assert world.tree.resume()
    assert world.tree.key(other.key.id) == other.key


def test_an_empty_database_beside_used_roots_is_refused(world: World) -> None:
    world.own("ten_a", "usr_a", 1)
    with world.database.write() as connection:
        for table in ("key_tree", "key_manifest", "key_page", "key_root", "key_scope", "unit"):
            connection.execute(text(f"DELETE FROM {table}"))
    with pytest.raises(IntegrityError) as refusal:
        world.reopen()
    assert refusal.value.code == "unknown-root"
    assert len(world.roots[0].present()) == 1


@pytest.mark.parametrize("harm", ["missing", "short", "other", "open-to-others"])
def test_a_root_that_was_harmed_is_refused(world: World, harm: str) -> None:
    (one,) = world.own("ten_a", "usr_a", 1)
    (path,) = (world.folder / "roots-0").glob("*.root")
    if harm == "missing":
        path.unlink()
    elif harm == "open-to-others":
        path.chmod(0o644)
    else:
        path.write_bytes(bytes(31 if harm == "short" else 32))
    world.tree._state.forget()
    with pytest.raises((IntegrityError, Unavailable)):
        world.tree.key(one.key.id)
    with pytest.raises(TrothError):
        world.tree.resume()


def test_harmed_copies_are_found_by_verification(world: World) -> None:
    world.own("ten_a", "usr_a", 10)
    copies = [path for path in (world.folder / "copies-0").rglob("*-*") if "manifest" not in path.name]
    content = copies[0].read_bytes()
    copies[0].write_bytes(content[:-1])
    with pytest.raises(Unavailable):
        world.tree.verify()
    copies[0].unlink()
    with pytest.raises(Unavailable):
        world.tree.verify()
    copies[0].write_bytes(content)
    assert world.tree.verify() == 10


@pytest.mark.parametrize("body", [b"{}", b"", b"\xff"])
def test_a_broken_manifest_is_refused(world: World, body: bytes) -> None:
    with world.database.write() as connection:
        connection.execute(text("UPDATE key_manifest SET body = :body"), {"body": body})
    with pytest.raises(IntegrityError):
        world.reopen()


def test_a_manifest_of_another_place_or_epoch_is_refused(world: World) -> None:
    world.own("ten_a", "usr_a", 1)
    with world.database.read() as connection:
        body = bytes(connection.execute(text("SELECT body FROM key_manifest")).scalar_one())
    for change in ((b'"epoch":1', b'"epoch":2'), (b'"jurisdiction":"eu"', b'"jurisdiction":"us"')):
        with world.database.write() as connection:
            values = {"body": body.replace(*change)}
            connection.execute(text("UPDATE key_manifest SET body = :body"), values)
        with pytest.raises(IntegrityError):
            world.reopen()


def _snapshot(world: World, name: str) -> Path:
    world.database.checkpoint()
    return Path(shutil.copy(world.folder / "test.db", world.folder / f"{name}.db"))


def _restore(world: World, snapshot: Path) -> None:
    world.database.checkpoint()
    world.database.close()
    shutil.copy(snapshot, world.folder / "test.db")
    for suffix in ("-wal", "-shm"):
        (world.folder / f"test.db{suffix}").unlink(missing_ok=True)
    world.database = Database(world.url)
    world.roots = [LocalRoot(world.folder / "roots-0", "local-0")]
    world.tree = type(world.tree)(world.database, world.domains, world.clock)
