"""What a tenant's policy lets through, in which order, and what loosens it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_world import DAY, due_diligence
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.papers import Certificate, Price, SubProcessor
from troth.gateway.vendors.record import Offer, State, VendorRecord
from troth.gateway.vendors.routing import ANYTHING, Candidate, Doing, MostPrice, RoutingPolicy, looser, ordered, permits
from troth.kernel.errors import TrothError

NOW = 1_800_000_000_000
PRICE = Price(input=100, output=400, picture=40_000)


def vendor(name: str = "acme", **facts: Any) -> VendorRecord:
    return VendorRecord(id=name, kind="openai-compatible", state=State.APPROVED, facts=due_diligence(NOW, **facts),
                        requested_by="usr_one")  # fmt: skip


def offer(price: Price | None = PRICE) -> Offer:
    return Offer(model="m", upstream="m", kind="chat", price=price)


def certificate(ends: int = NOW + DAY, starts: int = 0) -> Certificate:
    return Certificate(name="iso27001", file="ab" * 32, starts=starts, ends=ends)


ABROAD = (SubProcessor(name="s", region="us"),)
ISO = {"certificates": ("iso27001",)}
TABLE: list[tuple[dict[str, Any], VendorRecord, Offer, str | None]] = [
    ({}, vendor(), offer(None), None),
    ({"allow": ("acme",)}, vendor(), offer(), None),
    ({"allow": ("bravo",)}, vendor(), offer(), "vendor-not-allowed"),
    ({"deny": ("bravo",)}, vendor(), offer(), None),
    ({"deny": ("acme",)}, vendor(), offer(), "vendor-not-allowed"),
    ({"allow": ("acme",), "deny": ("acme",)}, vendor(), offer(), "vendor-not-allowed"),
    ({"regions": ("eu",)}, vendor(), offer(), None),
    ({"regions": ("eu",)}, vendor(regions=("eu", "us")), offer(), "region-not-allowed"),
    (
        {"regions": ("eu",)},
        vendor(sub_processors=(SubProcessor(name="s", region="us"),)),
        offer(),
        "region-not-allowed",
    ),
    ({"regions": ("eu",)}, vendor(regions=("here",)), offer(), None),
    (ISO, vendor(), offer(), "certificate-missing"),
    (ISO, vendor(certificates=(certificate(ends=NOW),)), offer(), "certificate-ended"),
    (ISO, vendor(certificates=(certificate(starts=NOW + 1),)), offer(), "certificate-not-yet"),
    (ISO, vendor(certificates=(certificate(),)), offer(), None),
    (ISO, LOCAL_STUDIO, offer(None), None),
    ({"most": MostPrice(input=100, output=400)}, vendor(), offer(), None),
    ({"most": MostPrice(output=399)}, vendor(), offer(), "price-too-high"),
    ({"most": MostPrice(picture=39_999)}, vendor(), offer(), "price-too-high"),
    ({"most": MostPrice(input=100)}, vendor(), offer(None), "price-unknown"),
    ({"most": MostPrice(currency="EUR", input=100)}, vendor(), offer(), "price-unknown"),
    ({"most": MostPrice(input=0)}, LOCAL_STUDIO, offer(None), None),
]


@pytest.mark.parametrize(("policy", "record", "offered", "code"), TABLE, ids=range(len(TABLE)))
def test_each_wish(policy: dict[str, Any], record: VendorRecord, offered: Offer, code: str | None) -> None:
    try:
        permits(RoutingPolicy(**policy), record, offered, NOW)
    except TrothError as refusal:
        assert refusal.code == code
    else:
        assert code is None


@pytest.mark.parametrize(
    ("order", "names"),
    [("listed", "abc"), ("price", "cba"), ("health", "bca"), ("latency", "bac")],
)
def test_the_order_is_the_tenants_and_who_rests_comes_last(order: Any, names: str) -> None:
    prices = {"a": None, "b": Price(input=9), "c": Price(input=5)}
    states = {"a": Doing(error_rate=0.5, seconds=1.0), "b": Doing(error_rate=0.0, seconds=0.5),
              "c": Doing(error_rate=0.2, seconds=2.0)}  # fmt: skip
    known = [Candidate(vendor(name), offer(prices[name])) for name in "abc"]
    policy = RoutingPolicy(order=order)
    assert "".join(one.record.id for one in ordered(known, policy, states.__getitem__)) == names
    resting = states | {names[0]: Doing(resting=True)}
    assert [one.record.id for one in ordered(known, policy, resting.__getitem__)][-1] == names[0]


codes = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3, unique=True).map(tuple)
limits = st.none() | st.integers(0, 3)
policies = st.builds(
    RoutingPolicy,
    allow=codes,
    deny=codes,
    regions=st.lists(st.sampled_from(["eu", "us"]), max_size=2, unique=True).map(tuple),
    certificates=st.sampled_from([(), ("iso27001",)]),
    most=st.none() | st.builds(MostPrice, input=limits, output=limits),
    fallback=st.booleans(),
)


def passes(policy: RoutingPolicy, record: VendorRecord, price: Price | None) -> bool:
    try:
        permits(policy, record, offer(price), NOW)
    except TrothError:
        return False
    return True


@given(policies, policies)
def test_what_is_not_called_looser_lets_nothing_more_through(before: RoutingPolicy, after: RoutingPolicy) -> None:
    if looser(before, after):
        return
    assert before.fallback or not after.fallback
    for name in "abc":
        for regions in (("eu",), ("us",), ("eu", "us")):
            for papers in ((), (certificate(),)):
                for price in (None, *(Price(input=n, output=n) for n in range(5))):
                    record = vendor(name, regions=regions, certificates=papers)
                    assert passes(before, record, price) or not passes(after, record, price)


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ({"allow": ("acme",)}, {}, ["allow"]),
        ({"allow": ("acme",)}, {"allow": ("acme", "bravo")}, ["allow"]),
        ({"deny": ("acme",)}, {}, ["deny"]),
        ({"regions": ("eu",)}, {"regions": ("eu", "us")}, ["regions"]),
        (ISO, {}, ["certificates"]),
        ({"most": {"input": 5}}, {"most": {"input": 6}}, ["most"]),
        ({"most": {"input": 5}}, {"most": {"output": 5}}, ["most"]),
        ({"most": {"input": 5}}, {"most": {"input": 5, "currency": "EUR"}}, ["most"]),
        ({"fallback": False}, {}, ["fallback"]),
        ({}, {"allow": ("acme",), "fallback": False, "order": "price"}, []),
        ({"order": "price"}, {"order": "listed"}, []),
    ],
)
def test_what_loosens_is_named(before: dict[str, Any], after: dict[str, Any], names: list[str]) -> None:
    assert looser(RoutingPolicy.model_validate(before), RoutingPolicy.model_validate(after)) == names


def test_nobody_asked_for_anything() -> None:
    assert looser(ANYTHING, ANYTHING) == []
