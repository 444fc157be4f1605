"""The stricter of two claims rules."""

from __future__ import annotations

from typing import Any

import pytest

from troth.kernel.errors import Invalid
from troth.promises.catalogue import catalogue
from troth.promises.paper.claims import claimed
from troth.promises.paper.parameters import parameters, taken, tightened
from troth.promises.paper.shipped import SOURCES, shipped

ROWS_WITH_A_NUMBER = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}  # 11 and 12 are about words: see test_wording


def test_every_parameter_is_of_known_promises() -> None:
    assert {promise for one in parameters().values() for promise in one.promises} <= set(catalogue())
    assert {one.row for one in parameters().values()} - {0} == ROWS_WITH_A_NUMBER


def test_what_is_kept_is_the_stricter_of_what_both_papers_say() -> None:
    """Where both say something: what is kept gives both what they say; where one does, it gives that."""
    for name, one in parameters().items():
        values = [claim.value for paper in SOURCES for _, claim in claimed(shipped(paper).sentences)[name]]
        for value in values if one.value is not None else ():
            assert one.stricter(value, one.value) == one.value or one.rule == "among", name
    assert parameters()["tls-minimum"].value == 1.3
    assert parameters()["training-needs"].value == {"redaction", "consent"}


@pytest.mark.parametrize(
    ("name", "claim", "only", "verdict"),
    [
        ("tls-minimum", 1.3, False, "same"), ("tls-minimum", 1.2, False, "weaker"), ("tls-minimum", 1.4, False, "more"),
        ("authority-hours", 72.0, False, "same"), ("authority-hours", 96.0, False, "weaker"),
        ("authority-hours", 24.0, False, "more"), ("key-place", "software", False, "weaker"),
        ("key-place", "fips-140-2", False, "more"), ("erasure", {"live"}, False, "weaker"),
        ("erasure", {"live", "physical-destruction"}, False, "more"), ("regions", {"EU"}, False, "same"),
        ("regions", {"EU"}, True, "more"), ("regions", {"EU", "AU", "US"}, True, "same"),
        ("regions", {"UK"}, False, "more"),
        ("regions", {"EU", "AU", "US", "UK"}, True, "weaker"), ("hosting-providers", {"aws"}, False, "unkept"),
    ],
)  # fmt: skip
def test_a_claim_beside_what_is_kept(name: str, claim: Any, only: bool, verdict: str) -> None:
    value = frozenset(claim) if isinstance(claim, set) else claim
    assert parameters()[name].judge(value, only=only) == verdict


def test_a_paper_may_keep_more() -> None:
    kept = tightened(parameters(), {"authority-hours": 24, "regions": ["EU"], "key-place": "fips-140-3"})
    assert (kept["authority-hours"].value, kept["regions"].value) == (24, {"EU"})
    assert kept["key-place"].judge("fips-140-2") == "weaker"
    assert kept["tls-minimum"] is parameters()["tls-minimum"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authority-hours", 96), ("authority-hours", "soon"), ("authority-hours", True), ("regions", ["EU", "UK"]),
        ("regions", []), ("regions", "EU"), ("key-place", "software"), ("key-place", "cellar"), ("erasure", ["live"]),
        ("hosting-providers", ["aws"]), ("shoe-size", 42), ("tls-minimum", 1.2),
    ],
)  # fmt: skip
def test_a_paper_may_not_keep_less(name: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        tightened(parameters(), {name: value})
    assert (caught.value.code, caught.value.field) == ("bad-parameter", name)


def test_values_of_another_kind_are_none() -> None:
    assert taken("all-of", (), ["a", 1]) is None
    assert taken("at-least", (), 3) == 3.0
