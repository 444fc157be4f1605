from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import func, insert, select

from database_world import owned
from log_world import World
from troth.audit import integration as integration_module
from troth.audit.integration import Integration
from troth.audit.verify import verify_log
from troth.kernel.errors import IntegrityError
from troth.storage.outbox import outbox


def waiting(world: World) -> int:
    with world.database.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(outbox)) or 0)


def test_many_logs_grow_in_one_transaction(world: World) -> None:
    world.wait_for(300)
    world.wait_for(5, log="ten_a")
    world.wait_for(1, log="ten_b")
    asked: list[str] = []
    assert Integration(world.database, asked.append).run() == 306
    assert asked == ["operator", "ten_a", "ten_b"]
    assert waiting(world) == 0
    assert [world.reader.size(log) for log in ("operator", "ten_a", "ten_b")] == [300, 5, 1]


def test_a_known_log_is_not_asked_about_again_and_a_forgotten_one_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integration_module, "_TREES", 1)
    asked: list[str] = []
    integration = Integration(world.database, asked.append)
    for log in ("ten_a", "ten_a", "ten_b", "ten_a"):
        world.wait_for(2, log=log)
        integration.run()
    assert asked == ["ten_a", "ten_b", "ten_a"]
    assert integration.run() == 0


def test_batches_keep_the_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integration_module, "BATCH", 7)
    integration = Integration(world.database, lambda _log: None)
    world.wait_for(20)
    assert [integration.run() for _ in range(4)] == [7, 7, 6, 0]
    requests = [f'"req_{number}"'.encode() for number in range(20)]
    assert all(request in leaf for request, leaf in zip(requests, world.leaves(), strict=True))


def test_a_failed_transaction_leaves_everything_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.grow(3)
    world.wait_for(2, start=3)

    def broken(*_arguments: object) -> None:
        raise OSError("disk")

    with monkeypatch.context() as patch:
        patch.setattr(integration_module, "discard", broken)
        with pytest.raises(OSError, match="disk"):
            world.sequencer.integrate()
    assert (waiting(world), world.reader.size("operator")) == (2, 3)
    world.sequencer.flush()
    assert verify_log(world.resource(), world.vkey()).size == 5


def test_a_head_moved_by_another_writer_is_refused(world: World) -> None:
    mine, other = (Integration(world.database, lambda _log: None) for _ in range(2))
    for one in (mine, other):
        world.wait_for(1)
        one.run()
    world.wait_for(1)
    with pytest.raises(IntegrityError) as caught:
        mine.run()
    assert caught.value.code == "second-sequencer"
    assert waiting(world) == 1


def test_a_changed_tile_stops_a_log_that_is_loaded(world: World) -> None:
    world.grow(3)
    with owned(world.database) as connection:
        connection.exec_driver_sql("UPDATE audit_logs SET root = (SELECT hashes FROM audit_tiles LIMIT 1)")
    world.wait_for(1)
    with pytest.raises(IntegrityError, match="root"):
        Integration(world.database, lambda _log: None).run()


@pytest.mark.parametrize(
    ("log", "leaf", "reason"),
    [("a b", b"{}", "bad-name"), ("../x", b"{}", "bad-name"), ("ten_a", b"x" * 65_536, "entry-too-long")],
)
def test_a_row_that_no_log_can_take_is_set_aside_and_told(world: World, log: str, leaf: bytes, reason: str) -> None:
    world.wait_for(2)
    with world.database.write() as connection:
        connection.execute(insert(outbox), [{"log": log, "leaf": leaf}] * 2)
        seqs = list(connection.scalars(select(outbox.c.seq).order_by(outbox.c.seq)))[2:]
    world.wait_for(1, log="ten_a")
    world.sequencer.flush()
    assert waiting(world) == 0
    told = json.loads(world.leaves()[2])
    assert (told["op"], told["outcome"], told["code"]) == ("outbox.refused", "refused", reason)
    assert told["facts"] == {"count": 2, "reason": reason, "first": seqs[0], "last": seqs[1]}
    assert [world.reader.size(one) for one in ("operator", "ten_a")] == [3, 1]
    assert verify_log(world.resource(), world.vkey()).size == 3


def test_a_leaf_written_as_text_stops_nothing(world: World) -> None:
    if world.database.dialect != "sqlite":  # PostgreSQL keeps bytes only
        return
    with world.database.write() as connection:
        connection.exec_driver_sql("INSERT INTO outbox (log, leaf) VALUES ('ten_a', '{}'), (x'ff', 'x')")
    world.wait_for(1)
    world.sequencer.flush()
    assert world.leaves("ten_a") == [b"{}"]
    assert b"outbox.refused" in world.leaves()[1]


def test_an_entry_that_no_bundle_can_hold_is_not_placed(world: World) -> None:
    with pytest.raises(IntegrityError, match="65,535"):
        Integration(world.database, lambda _log: None).place("operator", [b"x" * 65_536])


def test_threads_that_write_while_it_drains(world: World) -> None:
    world.sequencer.start()
    threads = [
        threading.Thread(target=world.wait_for, args=(1,), kwargs={"start": number, "log": f"ten_{number % 3}"})
        for number in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.sequencer.flush()
    found = [request for log in ("ten_0", "ten_1", "ten_2") for request in world.leaves(log)]
    assert len(found) == len(set(found)) == 40
