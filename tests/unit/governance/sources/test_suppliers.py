"""Vendors, agreements and sub-processors as registers: what their papers say is what the form judges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gateway_world import due_diligence
from troth.gateway.vendors.announcing import Notice, announced
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.record import Observed, State, VendorRecord
from troth.governance.forms.reading import shipped
from troth.governance.looking import DAY_MS, Look
from troth.governance.sources.port import Source, as_record
from troth.governance.sources.suppliers import Agreements, SubProcessors, Suppliers
from troth.governance.standing import Stand, standing
from troth.vault.rights.clocks import Calendar

NOW = 1_790_000_000_000
HOME = Calendar()


def vendor(now: int = NOW, state: State = State.APPROVED, **facts: Any) -> VendorRecord:
    papers = due_diligence(now, **facts)
    made = VendorRecord(
        id="acme", kind="openai-compatible", state=state, facts=papers, requested_by="usr_one", approved_by="usr_two",
        changed_at=now,
    )  # fmt: skip
    seen = Observed(announced=announced(made, Notice(), now))
    return made.model_copy(update={"observed": seen})


def stand(form: str, source: Source, now: int = NOW) -> tuple[Stand, Sequence[Any]]:
    rules = shipped()[form]
    records = [as_record(rules, one) for one in source.kept("ten_a", now, HOME)]
    return standing(rules, records, (), Look(now, HOME)), records


def test_what_runs_inside_is_no_supplier() -> None:
    for source in (Suppliers, Agreements, SubProcessors):
        assert source(lambda: [LOCAL_STUDIO]).kept("ten_a", NOW, HOME) == []
        assert source(list).of_service


def test_a_supplier_is_in_order_until_its_review_is_over() -> None:
    source = Suppliers(lambda: [vendor()])
    found, (record,) = stand("vendors", source)
    assert (found.tested, found.broken) == (1, 0)
    assert (record.values["vendor"], record.values["approved_by"]) == ("acme", "usr_two")
    later, _ = stand("vendors", source, NOW + 400 * DAY_MS)
    assert later.broken == 1


@pytest.mark.parametrize("state", [State.DRAFT, State.SUSPENDED])
def test_who_may_be_sent_nothing_does_not_count(state: State) -> None:
    assert stand("vendors", Suppliers(lambda: [vendor(state=state)]))[0].population == 0


def test_an_agreement_that_is_over_counts_as_long_as_the_vendor_is_approved() -> None:
    over = {"agreement_ends": NOW - DAY_MS}
    assert stand("agreements", Agreements(lambda: [vendor()]))[0].broken == 0
    assert stand("agreements", Agreements(lambda: [vendor(**over)]))[0].broken == 1
    ended, (record,) = stand("agreements", Agreements(lambda: [vendor(state=State.SUSPENDED, **over)]))
    assert (record.state, ended.population) == ("ended", 0)


def test_a_place_in_use_was_announced_thirty_days_before() -> None:
    before = SubProcessors(lambda: [vendor(announced_at=None)])
    (announced_only,) = {one.state for one in stand("sub-processors", before)[1]}
    assert announced_only == "announced"
    in_use, records = stand("sub-processors", before, NOW + 40 * DAY_MS)
    assert {one.state for one in records} == {"in-use"}
    assert (in_use.population, in_use.broken) == (len(records), 0)
    bare = vendor().model_copy(update={"observed": Observed()})
    assert stand("sub-processors", SubProcessors(lambda: [bare]))[0].broken > 0, "nobody was told"
