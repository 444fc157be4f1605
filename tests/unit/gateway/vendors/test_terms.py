"""At least equal terms, judged dimension by dimension; and no fallback to anything else (property tests)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_world import DAY, due_diligence
from troth.gateway.vendors.gate import permitted_regions
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.papers import CLAUSES, Certificate, Contract, Reply, SubProcessor, Tier, settled
from troth.gateway.vendors.record import Retention, State, Transfer, VendorRecord, Waiver
from troth.gateway.vendors.router import Asked, judged
from troth.gateway.vendors.routing import ANYTHING, Candidate
from troth.gateway.vendors.terms import weaker

NOW = 1_800_000_000_000
REVIEW = settled(Tier.STANDARD, "usr_three", NOW - DAY, "ef" * 32)
PLACES = ("eu", "us", "au")
_RANK = {Retention.ZERO: 0, Retention.TRANSIENT: 1, Retention.DAYS: 2}


def vendor(name: str = "acme", **facts: Any) -> VendorRecord:
    return VendorRecord(id=name, kind="openai-compatible", state=State.APPROVED, facts=due_diligence(NOW, **facts),
                        requested_by="usr_one")  # fmt: skip


@st.composite
def vendors(draw: st.DrawFn) -> VendorRecord:
    days = draw(st.sampled_from([0, 0, 0, 7, 30]))
    short = [Retention.ZERO, Retention.TRANSIENT]
    extra = draw(st.sets(st.sampled_from(["residency", "indemnity"])))
    sub = st.builds(
        SubProcessor,
        name=st.just("sub"),
        region=st.sampled_from(PLACES),
        since=st.sampled_from([0, NOW, NOW + 1]),
        accepted=st.just(True),
    )
    subs = draw(st.lists(sub, max_size=2))
    papers = [
        Certificate(name=name, file="ab" * 32, starts=start, ends=start + DAY)
        for name in draw(st.sets(st.sampled_from(["iso27001", "soc2-type2"])))
        for start in [draw(st.sampled_from([NOW - 2 * DAY, NOW - 1, NOW + 1]))]
    ]
    transfers = tuple(Transfer(jurisdiction="eu", region=one, mechanism="scc", ends=NOW + DAY) for one in ("us", "au"))
    answers = dict(REVIEW.answers)
    for name in draw(st.sets(st.sampled_from(["training", "human-review"]))):
        answers[name] = Reply(answer="not-applicable")
    return vendor(
        draw(st.sampled_from(["acme", "bravo", "carol"])),
        retention=Retention.DAYS if days else draw(st.sampled_from(short)),
        retention_days=days,
        regions=tuple(draw(st.sets(st.sampled_from(PLACES), min_size=1))),
        transfers=draw(st.sampled_from([transfers, transfers[:1], ()])),
        sub_processors=tuple(subs),
        certificates=tuple(papers),
        contract=Contract(parties=("A", "B"), clauses=(*CLAUSES, *sorted(extra)), starts=0),
        diligence=REVIEW.model_copy(update={"answers": answers}),
        tls_waiver=draw(st.sampled_from([None, Waiver(owner="cto", approver="ciso", ends=NOW + DAY)])),
    )


def everywhere(record: VendorRecord) -> set[str]:
    return {*record.facts.regions, *(str(one.region) for one in record.facts.sub_processors if one.since <= NOW)}


def holding(record: VendorRecord) -> set[str]:
    return {one.name for one in record.facts.certificates if one.starts <= NOW < one.ends}


@settings(max_examples=300, deadline=None)
@given(vendors(), vendors())
def test_who_may_step_in_promises_nothing_less(first: VendorRecord, other: VendorRecord) -> None:
    one, two = first.facts, other.facts
    if weaker(first, other, "eu", NOW):
        return
    assert one.retention is not None
    assert two.retention is not None
    assert _RANK[two.retention] <= _RANK[one.retention]
    assert two.retention_days <= one.retention_days
    assert everywhere(other) <= everywhere(first) | {"eu", "here"}
    assert holding(first) <= holding(other)
    assert one.contract
    assert two.contract
    assert set(one.contract.clauses) <= set(two.contract.clauses)
    assert one.diligence
    assert two.diligence
    for name in ("training", "human-review"):
        assert two.diligence.answers[name].answer == "yes" or one.diligence.answers[name].answer != "yes"
    assert two.tls_waiver is None or one.tls_waiver is not None
    asked = Asked("ten", "eu", "acme-chat", "chat", False, lambda: "con_x")
    if judged(Candidate(other, other.facts.offers[0], "con_x"), asked, ANYTHING, NOW) is None:
        assert everywhere(other) <= permitted_regions(two, "eu", NOW)


@settings(max_examples=200, deadline=None)
@given(vendors(), vendors(), vendors())
def test_it_is_an_order(first: VendorRecord, second: VendorRecord, third: VendorRecord) -> None:
    assert weaker(first, first, "eu", NOW) == []
    if not weaker(first, second, "eu", NOW) and not weaker(second, third, "eu", NOW):
        assert weaker(first, third, "eu", NOW) == []


def test_each_dimension_alone_is_named() -> None:
    best = vendor(certificates=(Certificate(name="iso27001", file="ab" * 32, starts=0, ends=NOW + DAY),))
    held = {"certificates": best.facts.certificates}
    sub = SubProcessor(name="s", region="us", accepted=True)
    answers = REVIEW.answers | {"training": Reply(answer="not-applicable")}
    waiver = Waiver(owner="cto", approver="ciso", ends=NOW + 1)
    for facts, names in [
        (held | {"retention": Retention.TRANSIENT}, ["retention"]),
        (held | {"regions": ("us",)}, ["regions"]),
        (held | {"sub_processors": (sub,)}, ["regions"]),
        (held | {"contract": Contract(parties=("A", "B"), clauses=CLAUSES[1:], starts=0)}, ["clauses"]),
        ({}, ["certificates"]),
        (held | {"diligence": REVIEW.model_copy(update={"answers": answers})}, ["answers"]),
        (held | {"tls_waiver": waiver}, ["encryption"]),
        (held | {"retention": None}, ["retention"]),
    ]:
        assert weaker(best, vendor("bravo", **facts), "eu", NOW) == names
    assert weaker(LOCAL_STUDIO, best, "eu", NOW) == ["third-party"]
    assert weaker(vendor(), LOCAL_STUDIO, "eu", NOW) == []
