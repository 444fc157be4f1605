from __future__ import annotations

from pathlib import Path

import pytest

from database_world import owned
from log_world import World
from troth.audit.verify import verify_log
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, IntegrityError, Unavailable
from troth.storage.blobs import LocalBlobs


def mirror(world: World) -> set[str]:
    return {name.removeprefix("tlog/operator/") for name in world.blobs.names("tlog/operator/")}


def test_the_mirror_is_a_whole_log_and_holds_no_old_partials(world: World) -> None:
    world.grow(10)
    assert mirror(world) == {"checkpoint", "tile/0/000.p/10", "tile/entries/000.p/10"}
    world.grow(300, start=10)
    assert mirror(world) == {
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/54",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/54",
    }
    assert verify_log(world.folder / "blobs/tlog/operator", world.vkey()).size == 310


def test_the_checkpoint_is_signed_once_for_each_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[bytes] = []
    sign = world.key.sign
    monkeypatch.setattr(world.key, "sign", lambda message: signed.append(message) or sign(message))
    world.grow(1)
    world.sequencer.flush()
    world.grow(1, start=1)
    assert [message.split(b"\n")[1] for message in signed] == [b"1", b"2"]


class DyingBlobs(LocalBlobs):
    """An object store whose owner dies right after (or before) a write of a kind."""

    def __init__(self, root: Path, dies: str) -> None:
        super().__init__(root)
        self.dies = dies

    def swap(self, name: str, content: bytes, expected: str | None) -> None:
        if self.dies == "before swap":
            raise Unavailable("gone")
        super().swap(name, content, expected)
        if self.dies == "after swap":
            raise Unavailable("gone")

    def create(self, name: str, content: bytes) -> None:
        super().create(name, content)
        if self.dies == "after tile":
            raise Unavailable("gone")


@pytest.mark.parametrize("dies", ["after tile", "before swap", "after swap"])
@pytest.mark.parametrize("more", [0, 5])
def test_a_death_between_any_two_steps_is_made_good(world: World, dies: str, more: int) -> None:
    world.grow(250)
    before = world.publisher.resource("operator", "checkpoint")
    world.sequencer.stop()
    dying = world.another(DyingBlobs(world.folder / "blobs", dies))
    world.wait_for(10, start=250)
    with pytest.raises(Unavailable):
        dying.flush()
    dying.stop()
    assert world.publisher.resource("operator", "checkpoint") == before  # nothing unguarded is ever shown
    world.grow(more, start=260) if more else world.sequencer.flush()
    assert verify_log(world.resource(), world.vkey(), trusted=before).size == 260 + more
    assert verify_log(world.folder / "blobs/tlog/operator", world.vkey(), trusted=before).size == 260 + more


def test_a_faster_signer_wins_and_the_slower_shows_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.grow(2)
    world.wait_for(1, start=2)
    older = world.blobs.get("tlog/operator/checkpoint")
    sign = world.key.sign

    def slow(message: bytes) -> bytes:
        world.blobs.swap("tlog/operator/checkpoint", older + b"", _digest(older))
        world.blobs.swap("tlog/operator/checkpoint", b"another", _digest(older))
        return sign(message)

    monkeypatch.setattr(world.key, "sign", slow)
    with pytest.raises(Conflict):
        world.sequencer.flush()
    assert world.publisher.resource("operator", "checkpoint") == older


def _digest(content: bytes) -> str:
    from hashlib import sha256  # noqa: PLC0415

    return sha256(content).hexdigest()


def test_an_entry_changed_before_it_was_signed_is_not_signed(world: World) -> None:
    world.wait_for(3)
    world.sequencer.integrate()
    with owned(world.database) as connection:
        connection.exec_driver_sql(
            "UPDATE audit_entries SET leaf = (SELECT hashes FROM audit_tiles) WHERE position = 1"
        )
    with pytest.raises(IntegrityError, match="changed in the database"):
        world.sequencer.flush()


@pytest.mark.parametrize("count", [3, 3 + 256 * 5])  # few tiles are written one by one, many at once
def test_other_bytes_in_the_mirror_stop_the_log(world: World, count: int) -> None:
    world.blobs.create(f"tlog/operator/tile/0/{count // 256:03}.p/3", b"other")
    world.wait_for(count)
    with pytest.raises(IntegrityError, match="mirrored"):
        world.sequencer.flush()


def test_a_root_that_its_tiles_do_not_carry_is_not_signed(world: World) -> None:
    world.wait_for(3)
    world.sequencer.integrate()
    with owned(world.database) as connection:
        connection.exec_driver_sql("UPDATE audit_logs SET root = (SELECT hashes FROM audit_tiles)")
    with pytest.raises(IntegrityError, match="root"):
        world.sequencer.flush()


def test_the_time_of_signing_is_the_clock_s(world: World) -> None:
    world.grow(1)
    with world.database.read() as connection:
        signed_at = connection.exec_driver_sql("SELECT signed_at FROM audit_logs").scalar_one()
    assert signed_at == epoch_ms(world.clock.now())
