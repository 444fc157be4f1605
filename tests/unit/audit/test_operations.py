from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from log_world import World
from troth.audit.log import LogPublisher
from troth.audit.operations import AuditListRequest, AuditOperations, OwnListRequest, ProveRequest
from troth.audit.verify import verify_proof
from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound, Unavailable
from troth.kernel.operation import Call, Group, Registry
from troth.kernel.record import Outcome
from worlds import person

MOMENT = datetime(2026, 11, 22, tzinfo=UTC)


def call(caller: Caller) -> Call:
    return Call(caller, "req_x", MOMENT)


@pytest.fixture
def operations(world: World) -> AuditOperations:
    return AuditOperations(world.reader, world.prover, world.sequencer.origins, LogPublisher(world.database))


def test_the_declarations_are_sound(operations: AuditOperations) -> None:
    registry = Registry(operations)
    groups = {one.name: one.declaration.group for one in registry}
    assert groups == {
        "audit.list": Group.AUDIT,
        "activity.list": Group.OWN_DATA,
        "audit.prove": Group.AUDIT,
        "log.fetch": Group.AUDIT,
        "activity.prove": Group.OWN_DATA,
    }


def test_an_auditor_reads_the_log_of_the_own_tenant_only(world: World, operations: AuditOperations) -> None:
    world.grow(3, log="ten_a", facts={"object": "obj_1"})
    world.grow(5, log="ten_b")
    asked = call(person("audit", tenant="ten_a"))
    page = operations.list(asked, AuditListRequest(limit=2))
    assert [one.index for one in page.entries] == [2, 1]
    assert page.next == 1
    assert asked.facts == {"count": 2, "first": 1, "last": 2}
    first = page.entries[0]
    assert (first.operation, first.outcome, first.actor, first.request) == ("object.open", "done", "usr_a", "req_2")
    assert (first.time, first.facts) == (1_700_000_000_002, {"object": "obj_1"})
    assert [one.index for one in operations.list(asked, AuditListRequest(before=1)).entries] == [0]


def test_filters_reach_the_log(world: World, operations: AuditOperations) -> None:
    world.grow(3, log="ten_a")
    world.grow(1, log="ten_a", start=3, actor="usr_b", operation="object.keep", outcome=Outcome.FAILED, code="internal")
    asked = call(person("audit", tenant="ten_a"))
    for wanted in ({"actor": "usr_b"}, {"operation": "object.keep"}, {"outcome": "failed"}, {"since": 1700000000003}):
        page = operations.list(asked, AuditListRequest(**wanted))
        assert [(one.index, one.code) for one in page.entries] == [(3, "internal")]
    assert len(operations.list(asked, AuditListRequest(until=1700000000003)).entries) == 3


def test_a_member_sees_own_entries_only(world: World, operations: AuditOperations) -> None:
    world.grow(1, log="ten_a")
    world.grow(1, log="ten_a", start=1, actor="usr_b")
    world.grow(1, log="ten_a", start=2, actor="usr_admin", facts={"subject": "usr_b"})
    asked = call(person(tenant="ten_a", actor="usr_b"))
    assert [one.index for one in operations.own(asked, OwnListRequest()).entries] == [2, 1]
    assert [one.index for one in operations.own(asked, OwnListRequest(outcome=Outcome.REFUSED)).entries] == []
    for index in (1, 2):
        assert operations.prove_own(asked, ProveRequest(index=index)).index == index
    for index in (0, 3):
        with pytest.raises(NotFound):
            operations.prove_own(asked, ProveRequest(index=index))


def test_a_caller_without_a_subject_owns_nothing_of_nobody(world: World, operations: AuditOperations) -> None:
    world.grow(1, log="ten_a")
    nobody = Caller(actor="svc_x", kind="service", tenant="ten_a")
    with pytest.raises(NotFound):
        operations.prove_own(call(nobody), ProveRequest(index=0))
    assert operations.own(call(nobody), OwnListRequest()).entries == []


def test_a_proof_convinces_a_stranger(world: World, operations: AuditOperations) -> None:
    world.grow(9, log="ten_a")
    answer = operations.prove(call(person("audit", tenant="ten_a")), ProveRequest(index=4))
    assert verify_proof(answer.proof, answer.leaf.encode(), world.vkey("ten_a")) == answer.index == 4
    assert answer.key == world.vkey("ten_a")


def test_an_entry_without_a_checkpoint_is_asked_for_again(world: World, operations: AuditOperations) -> None:
    world.wait_for(1, log="ten_a")
    world.sequencer.integrate()
    with pytest.raises(Unavailable):
        operations.prove(call(person(tenant="ten_a")), ProveRequest(index=0))


def test_an_operator_reads_the_operator_log_and_nobody_else_does(world: World, operations: AuditOperations) -> None:
    world.grow(2)
    operator = Caller(actor="usr_o", kind="operator")
    assert len(operations.list(call(operator), AuditListRequest()).entries) == 2
    with pytest.raises(NotFound):
        operations.list(call(Caller(actor="anonymous")), AuditListRequest())
    assert operations.list(call(person(tenant="ten_new")), AuditListRequest()).entries == []


@pytest.mark.parametrize(
    "values",
    [
        *({"limit": 0}, {"limit": 201}, {"before": -1}, {"actor": ""}, {"actor": "a b"}, {"operation": "x" * 65}),
        *({"since": -1}, {"until": 1 << 60}, {"outcome": "maybe"}, {"tenant": "ten_b"}),
    ],
)
def test_requests_are_limited(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AuditListRequest(**values)  # type: ignore[arg-type]
