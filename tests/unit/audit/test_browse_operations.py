"""Reading beyond the entries: details for who may, exports with their range said and kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import ValidationError

from log_world import World, entry
from troth.audit.browse_operations import BrowseOperations, DetailsRequest, ExportRequest
from troth.audit.details import Details
from troth.audit.operations import ProveRequest
from troth.kernel.errors import Invalid, NotFound
from troth.kernel.operation import Call, Group, Registry, Stream
from troth.kernel.record import Outcome
from troth.storage.outbox import Outbox
from unit.audit.test_details import Fields
from unit.audit.test_operations import call
from worlds import person

CAME = {"address": "203.0.113.7"}
WHY = "ticket 4711"


@pytest.fixture
def details(world: World) -> Details:
    return Details(world.database, Fields())


@pytest.fixture
def operations(world: World, details: Details) -> BrowseOperations:
    return BrowseOperations(world.reader, world.prover, world.sequencer.origins, details)


@pytest.fixture
def outbox(world: World) -> Iterator[Outbox]:
    made = Outbox(world.database)
    yield made
    made.close()


@pytest.fixture
def placed(world: World, details: Details, outbox: Outbox) -> World:
    """0 and 1: one request of usr_a, from somewhere; 2: about usr_b, with a reason; 3: of the service."""
    opened = entry("ten_a", 7, phase="opened", outcome=Outcome.PENDING)
    about = entry("ten_a", 8, actor="usr_admin", facts={"subject": "usr_b"})
    for one in (
        replace(opened, sealed=details.seal(("ten_a", "usr_a"), CAME)),
        entry("ten_a", 7),
        replace(about, sealed=details.seal(("ten_a", "usr_b"), {"reason": WHY})),
        entry("ten_a", 9, actor="svc_x"),
    ):
        outbox.record(one)
    world.sequencer.flush()
    return world


def auditor() -> Call:
    return call(person("audit", tenant="ten_a"))


def test_the_declarations_are_sound(operations: BrowseOperations) -> None:
    groups = {one.name: one.declaration.group for one in Registry(operations)}
    assert groups == {"audit.details": Group.AUDIT, "activity.details": Group.OWN_DATA, "audit.export": Group.AUDIT}


@pytest.mark.parametrize("index", [0, 1])
def test_details_are_found_from_each_entry_of_the_request(
    placed: World, operations: BrowseOperations, index: int
) -> None:
    asked = auditor()
    found = operations.details(asked, DetailsRequest(index=index, reason=WHY))
    assert (found.state, found.details) == ("open", CAME)
    assert asked.facts == {"index": index, "state": "open", "subject": "usr_a"}
    assert asked.reasons == [("usr_a", WHY)]


def test_no_details_no_subject(placed: World, operations: BrowseOperations) -> None:
    asked = auditor()
    assert operations.details(asked, DetailsRequest(index=3, reason=WHY)).state == "none"
    assert asked.facts == {"index": 3, "state": "none"}
    with pytest.raises(NotFound):
        operations.details(asked, DetailsRequest(index=4, reason=WHY))
    with pytest.raises(NotFound):
        operations.details(call(person("audit", tenant="ten_b")), DetailsRequest(index=0, reason=WHY))
    with pytest.raises(ValidationError):
        DetailsRequest(index=0, reason="why")


def test_a_person_reads_what_is_about_them(placed: World, operations: BrowseOperations) -> None:
    def asked(who: str, index: int) -> tuple[str, dict[str, str]]:
        found = operations.own_details(call(person(tenant="ten_a", actor=who)), ProveRequest(index=index))
        return found.state, dict(found.details)

    assert asked("usr_a", 0) == asked("usr_a", 1) == ("open", CAME)
    assert asked("usr_b", 2) == ("open", {"reason": WHY})
    assert asked("usr_admin", 2) == ("not-yours", {})
    for who, index in (("usr_b", 0), ("usr_a", 2), ("usr_a", 3)):
        with pytest.raises(NotFound):
            asked(who, index)


def exported(operations: BrowseOperations, **wanted: object) -> tuple[Call, Stream, list[str]]:
    async def everything(stream: Stream) -> list[str]:
        return b"".join([piece async for piece in stream.chunks]).decode().splitlines()

    asked = auditor()
    stream = operations.export(asked, ExportRequest(**wanted))  # type: ignore[arg-type]
    return asked, stream, asyncio.run(everything(stream))


def test_an_export_says_its_range_before_it_begins(placed: World, operations: BrowseOperations) -> None:
    asked, stream, lines = exported(operations, first=1, actor="usr_a")
    assert asked.facts == {"count": 1, "first": 1, "last": 3, "format": "ocsf"}
    said = {name: value for name, value in stream.headers.items() if name.startswith("x-troth")}
    assert said == {"x-troth-entries": "1", "x-troth-first": "1", "x-troth-end": "4"}
    assert [json.loads(line)["metadata"]["sequence"] for line in lines] == [1]
    assert "203.0.113.7" not in str(lines)
    table = exported(operations, format="csv", last=0)
    assert (len(table[2]), table[1].media_type) == (2, "text/csv; charset=utf-8")


def test_what_comes_later_is_not_in_it(placed: World, operations: BrowseOperations) -> None:
    stream = operations.export(auditor(), ExportRequest())
    placed.grow(1, log="ten_a", start=10)

    async def count() -> int:
        return sum([piece.count(b"\n") async for piece in stream.chunks])

    assert asyncio.run(count()) == 4


def test_ranges_that_are_empty_or_too_long_are_refused(
    placed: World, operations: BrowseOperations, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound):
        exported(operations, first=4)
    monkeypatch.setattr("troth.audit.browse_operations.MOST", 3)
    with pytest.raises(Invalid):
        exported(operations)
    assert len(exported(operations, first=1)[2]) == 3
