"""Old entries go, hashes stay, and everything that was proven goes on being proven."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from log_world import World
from troth.audit import store
from troth.audit.believed_time import DAY_MS, BelievedTime
from troth.audit.export import export_log
from troth.audit.log import Filter
from troth.audit.meta import META
from troth.audit.pruning import Policy, Pruned, Pruning
from troth.audit.publication import Places
from troth.audit.verify import LogBroken, verify_log, verify_proof
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Invalid, NotFound, Unavailable
from troth.kernel.ids import new_id
from troth.storage.append_only import FLOOR_DAYS
from troth.storage.blobs import LocalBlobs
from troth.storage.detail_rows import audit_details
from troth.storage.outbox import Outbox

_DAYS = FLOOR_DAYS


def pruning(world: World, **members: object) -> Pruning:
    values: dict[str, object] = {
        "database": world.database,
        "places": Places(world.blobs),
        "recorder": Outbox(world.database),
        "clock": world.clock,
        "time": BelievedTime(world.database, world.clock, lambda: None),
        "policy": Policy(_DAYS),
    }
    return Pruning(**(values | members))  # type: ignore[arg-type]


def run(world: World, **members: object) -> list[Pruned]:
    made = pruning(world, **members)
    try:
        return made.run("usr_operator")
    finally:
        made.recorder.close()  # type: ignore[attr-defined]
        world.sequencer.flush()


def aged(world: World, old: int, young: int, log: str = "operator") -> None:
    """`old` entries beyond the age of the policy, then `young` ones of the last days; signed in between."""
    now = epoch_ms(world.clock.now())
    world.grow(old, log=log, time=now - (_DAYS + 1) * DAY_MS)
    for at, days in enumerate((8, 5, 2)[:young]):
        world.wait_for(1, log=log, start=old + at, time=now - days * DAY_MS)
    if young > 3:
        world.wait_for(young - 3, log=log, start=old + 3, time=now)
    world.sequencer.flush()


def bundles(world: World, log: str = "operator") -> list[str]:
    return list(world.blobs.names(f"tlog/{log}/tile/entries/"))


def test_whole_bundles_below_the_age_go_and_every_hash_stays(world: World, tmp_path: Path) -> None:
    aged(world, 700, 100)
    trusted = world.reader.head("operator").checkpoint
    tiles = [name for name in world.blobs.names("tlog/operator/tile/") if "/entries/" not in name]
    leaf = world.reader.entry("operator", 650)
    assert run(world) == [Pruned("operator", 512, 512)]
    assert world.reader.entry("operator", 650) == leaf
    assert verify_proof(world.prover.proof("operator", 650), leaf, world.vkey()) == 650
    with pytest.raises(NotFound, match="below index 512 were pruned") as refused:
        world.reader.entry("operator", 511)
    assert refused.value.code == "pruned"
    with pytest.raises(NotFound):
        world.publisher.resource("operator", "tile/entries/001")
    assert world.publisher.resource("operator", "minimum") == b"512\n"
    assert bundles(world) == [f"tlog/operator/tile/entries/{name}" for name in ("002", "003.p/33")]
    assert set(world.blobs.names("tlog/operator/tile/")) >= {name for name in tiles if ".p/" not in name}
    export_log(world.resource(), tmp_path / "out")
    assert (tmp_path / "out" / "minimum").read_text() == "512\n"
    audited = verify_log(tmp_path / "out", world.vkey(), trusted=trusted, minimum=512)
    assert audited.size == 801  # and the entry that tells of the pruning
    with pytest.raises(LogBroken, match="is missing"):
        verify_log(world.resource(), world.vkey())  # who is not told of the minimum finds the gap


def test_readers_end_at_the_first_kept_entry(world: World) -> None:
    aged(world, 300, 10)
    run(world)
    page = world.reader.page("operator", Filter(), before=None, limit=200)
    assert (page.entries[-1].index, page.next) == (256, None)
    assert [one.index for one in world.reader.entries("operator", 0, 3)] == [256, 257, 258]
    assert world.reader.entries("operator", 100, 3, newest_first=True) == []


def test_the_log_that_lost_entries_says_so_itself(world: World) -> None:
    aged(world, 300, 10, log="ten_a")
    run(world)
    entry = world.reader.entry("ten_a", 310)
    assert b'"op":"log.pruned"' in entry
    assert b'"facts":{"count":256,"first":256}' in entry
    assert b'"actor":"usr_operator"' in entry


def test_the_meta_log_and_what_is_young_stay(world: World) -> None:
    world.grow(300, time=epoch_ms(world.clock.now()))
    for at in range(260):
        world.grow(1, log="ten_a", start=at)
    assert [(one.log, one.first) for one in run(world)] == [("ten_a", 256)]
    assert verify_log(world.resource(META), world.vkey(META)).size > 256


def test_what_is_needed_stays(world: World) -> None:
    aged(world, 700, 10)
    assert run(world, needed=(lambda _log, _size: 300,)) == [Pruned("operator", 256, 256)]
    assert run(world, needed=(lambda _log, _size: 255,)) == []
    assert run(world) == [Pruned("operator", 512, 256)]
    assert run(world) == []


@pytest.mark.parametrize(
    ("days", "backups", "code"),
    [(None, 30, "keep-for-ever"), (399, 30, "keep-too-short"), (500, 500, "keep-too-short")],
)
def test_a_policy_that_does_not_permit_it_prunes_nothing(
    world: World, days: int | None, backups: int, code: str
) -> None:
    aged(world, 300, 1)
    with pytest.raises(Invalid) as refused:
        run(world, policy=Policy(days), backups_days=backups)
    assert refused.value.code == code
    assert len(world.leaves()) == 301


def test_details_of_what_went_go_and_others_stay(world: World) -> None:
    aged(world, 300, 10)
    now = epoch_ms(world.clock.now())
    world.grow(1, start=310, request="req_255", time=now)  # the request of an old entry goes on in a kept one
    with world.database.write() as connection:
        for request in ("req_3", "req_255", "req_256"):
            row = {"log": "operator", "request": request, "commitment": b"\x01" * 32, "tenant": "operator"}
            connection.execute(insert(audit_details), row | {"subject": "usr_a", "sealed": b"s", "at": 1})
    run(world)
    with world.database.read() as connection:
        kept = set(connection.scalars(select(audit_details.c.request)))
    assert kept == {"req_255", "req_256"}


class Away(LocalBlobs):
    """A far mirror that answers or does not."""

    away = False

    def delete_all(self, names):  # type: ignore[no-untyped-def]
        if self.away:
            raise Unavailable("The mirror is away.")
        return super().delete_all(names)


def test_what_an_interrupted_run_left_goes_with_the_next(world: World) -> None:
    far = Away(world.folder / "far")
    world.sequencer = type(world.sequencer)(world.database, world.blobs, world.key, world.clock, far=far)
    aged(world, 300, 10)
    far.away = True
    with pytest.raises(Unavailable):
        run(world, places=Places(world.blobs, None, far))
    assert list(far.names("tlog/operator/tile/entries/000"))
    far.away = False
    run(world, places=Places(world.blobs, None, far))
    assert not list(far.names("tlog/operator/tile/entries/000"))
    with world.database.read() as connection:
        assert connection.scalar(select(func.min(store.entries.c.position))) == 256


def test_a_pruned_log_fills_a_new_mirror_with_hashes_and_what_is_kept(world: World) -> None:
    aged(world, 300, 10)
    run(world)
    world.sequencer.stop()
    far = LocalBlobs(world.folder / "far")
    world.sequencer = type(world.sequencer)(world.database, world.blobs, world.key, world.clock, far=far)
    world.grow(5, start=400, request=new_id("req"))
    assert world.blobs.get("tlog/operator/minimum") == b"256\n"
    assert verify_log(world.folder / "far/tlog/operator", world.vkey(), minimum=256).size == 316


def test_a_clock_that_jumped_ahead_prunes_nothing(world: World) -> None:
    world.grow(300, time=epoch_ms(world.clock.now()))
    world.clock.forward(days=_DAYS + 1)
    world.grow(5, start=300, time=epoch_ms(world.clock.now()))  # what is recorded after the jump bears the wrong time
    with pytest.raises(Unavailable, match="its clock jumped ahead") as refused:
        run(world)
    assert refused.value.code == "clock-not-believed"
    assert len(world.leaves()) == 305
