"""The scrub: one flipped bit anywhere is found by the next look, and nothing else is."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from troth.kernel.uses import tallying
from troth.storage.outbox import outbox
from troth.vault import framing
from troth.vault.deadlines import DAY_MS
from troth.vault.scrubbing import Scrub
from troth.vault.tables import Row, objects, rows_of
from vault_world import ANN, TENANT, VaultWorld

_PIECE = 1 << 20  # one object of this size uses up a run of one megabyte


@pytest.fixture
def scrub(world: VaultWorld) -> Scrub:
    return Scrub(world.ground, megabytes=1, days=7)


def rows(world: VaultWorld) -> list[Row]:
    with world.database.read() as connection:
        return rows_of(connection, select(objects).order_by(objects.c.seq))


def told(world: VaultWorld, name: str) -> list[dict[str, object]]:
    world.sequencer.integrate()
    with world.database.read() as connection:
        assert connection.execute(select(outbox)).all() == []
    found = world.log.entries("operator", 0, 1000, newest_first=False)
    return [entry for one in found if (entry := json.loads(one.leaf))["op"] == name]


def flip(world: VaultWorld, row: Row, place: int) -> None:
    whole = world.blobs.get(row.blob or "")
    world.blobs.delete(row.blob or "")
    world.blobs.create(row.blob or "", whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])


def test_sound_objects_give_a_round_without_findings(world: VaultWorld, scrub: Scrub) -> None:
    for _ in range(3):
        world.keep()
    now = scrub.run()
    assert (now.examined, now.findings, now.closed, now.position) == (3, 0, 0, 0)
    assert now.ended_at == world.ground.now()
    assert [entry["facts"] for entry in told(world, "scrub.done")] == [{"count": 3, "withheld": 0, "objects": 0}]


@pytest.mark.parametrize("place", [0, 40, framing.HEADER - 1, framing.HEADER, framing.HEADER + 65536 + 20, -1])
def test_one_flipped_bit_is_found_by_the_next_round(world: VaultWorld, scrub: Scrub, place: int) -> None:
    world.keep(b"x" * 200_000)
    harmed = world.keep(b"y" * 200_000)
    row = rows(world)[1]
    flip(world, row, place % len(world.blobs.get(row.blob or "")))
    assert scrub.run().findings == 1
    (entry,) = told(world, "scrub.mismatch")
    assert entry["facts"] == {"object": harmed.id, "tenant": row.tenant}
    assert entry["outcome"] == "failed"


def test_missing_bytes_and_changed_names_are_found(world: VaultWorld, scrub: Scrub) -> None:
    world.keep()
    world.keep()
    first, second = rows(world)
    world.blobs.delete(first.blob or "")
    with world.database.write() as connection:
        facts = bytes([(second.facts or b"")[0] ^ 1]) + (second.facts or b"")[1:]
        connection.execute(update(objects).where(objects.c.id == second.id).values(facts=facts))
    assert scrub.run().findings == 2
    assert [entry["code"] for entry in told(world, "scrub.mismatch")] == ["blob-missing", "facts-tampered"]


def test_a_finding_goes_when_the_object_is_whole_again_or_gone(world: VaultWorld, scrub: Scrub) -> None:
    world.keep()
    gone = world.keep()
    for row in rows(world):
        flip(world, row, framing.HEADER)
    assert scrub.run().findings == 2
    flip(world, rows(world)[0], framing.HEADER)
    world.objects.delete(TENANT, ANN, gone.id)
    world.clock.forward(days=7)
    assert scrub.run().findings == 0


def test_a_round_is_limited_and_goes_on_where_it_stopped(world: VaultWorld, scrub: Scrub) -> None:
    for _ in range(2):
        world.keep(b"z" * _PIECE)
    half = scrub.run()
    assert (half.examined, half.ended_at) == (2, None)
    world.keep()
    again = Scrub(world.ground, megabytes=1, days=7).run()  # after a restart
    assert (again.examined, again.position) == (3, 0)


def test_the_next_round_waits_for_its_day(world: VaultWorld, scrub: Scrub) -> None:
    world.keep()
    ended = scrub.run().ended_at
    world.clock.forward(days=6)
    assert scrub.run().ended_at == ended
    world.clock.forward(days=1)
    assert scrub.run().ended_at == (ended or 0) + 7 * DAY_MS


def test_objects_that_change_meanwhile_are_no_findings(world: VaultWorld, scrub: Scrub) -> None:
    kept = world.keep()
    (row,) = rows(world)
    world.objects.delete(TENANT, ANN, kept.id)
    assert scrub.examine(row).code is None
    assert scrub.examine(replace(row, blob="another")).code is None


def test_nothing_is_opened_for_anybody(world: VaultWorld, scrub: Scrub) -> None:
    world.keep()
    uses: Counter[str] = Counter()
    with tallying(uses):
        scrub.run()
    assert uses == Counter()


def test_suspended_objects_are_looked_at_too(world: VaultWorld, scrub: Scrub) -> None:
    world.keep()
    world.restrictions.place(TENANT, ANN, reason="accuracy", officer=None, request="req_1")
    flip(world, rows(world)[0], framing.HEADER)
    assert scrub.run().findings == 1
