"""The log as lines: nothing lost, nothing that a spreadsheet would run."""

from __future__ import annotations

import asyncio
import csv
import io
import json

import pytest

from log_world import World
from troth.audit.exporting import COLUMNS, CSV, OCSF, Stretch, cell, lines
from troth.audit.log import Filter
from troth.kernel.record import Outcome


def taken(world: World, form: str, wanted: Filter | None = None, start: int = 0, end: int = 10_000) -> bytes:
    stretch = Stretch("ten_a", wanted or Filter(), start, end)

    async def all_of_it() -> bytes:
        return b"".join([piece async for piece in lines(world.reader, stretch, "t.example/log/ten_a", form)])

    return asyncio.run(all_of_it())


def test_every_entry_is_an_event_in_order(world: World) -> None:
    world.grow(1203, log="ten_a")
    events = [json.loads(line) for line in taken(world, OCSF).splitlines()]
    assert [one["metadata"]["sequence"] for one in events] == list(range(1203))
    assert events[7]["raw_data"].encode() == world.reader.entry("ten_a", 7)


def test_a_stretch_and_a_filter(world: World) -> None:
    world.grow(5, log="ten_a")
    world.grow(5, log="ten_a", start=5, actor="usr_b", facts={"object": "obj_1", "subject": "usr_c"})
    for wanted in (Filter(actor="usr_b"), Filter(naming="obj_1"), Filter(subject="usr_c"), Filter(since=1700000000005)):
        assert len(taken(world, OCSF, wanted).splitlines()) == 5
        assert world.reader.count("ten_a", wanted, 0, 8) == 3
    assert len(taken(world, OCSF, start=2, end=7).splitlines()) == 5
    assert taken(world, OCSF, Filter(naming="obj_")) == b""


def test_a_table_repeats_the_entry(world: World) -> None:
    world.grow(1, log="ten_a", outcome=Outcome.REFUSED, code="gone", policies=("a", "b"), facts={"count": 3})
    (row,) = csv.DictReader(io.StringIO(taken(world, CSV).decode()))
    assert tuple(row) == COLUMNS
    assert (row["index"], row["time"], row["operation"]) == ("0", "2023-11-14T22:13:20.000Z", "object.open")
    assert (row["code"], row["policies"], row["facts"], row["pd"]) == ("gone", "a b", '{"count":3}', "")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text) == "'" + text


def test_plain_cells_stay_as_they_are() -> None:
    assert [cell(one) for one in ("usr_a", 3, None, ["x", "y"], {"a": 1})] == ["usr_a", "3", "", "x y", '{"a":1}']
