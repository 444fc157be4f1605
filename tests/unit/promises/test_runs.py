"""Every word of a run is in its link, and its statement is one that others read too."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from log_world import TestKey
from troth.kernel.errors import IntegrityError
from troth.promises.check import Result
from troth.promises.runs import Run, statement, summary
from troth.vault.dsse import IN_TOTO, envelope, sign_envelope, signature_over, verify_envelope

RUN = Run(
    "one", 1_800_000_000_000, Result.PASS, Result.FAIL, 3, 2, "a" * 64, "run_a", 7, 1_799_999_000_000, "b" * 64,
    {"rows": 2}, 1, "troth-0.1.0", "",
)  # fmt: skip
CHANGED: dict[str, Any] = {
    "check": "two",
    "at": RUN.at + 1,
    "result": Result.FAIL,
    "control": Result.PASS,
    "population": 4,
    "tested": 3,
    "digest": "c" * 64,
    "sequence": 8,
    "slot": None,
    "previous": "d" * 64,
    "details": {"rows": 3},
    "schedule": 2,
    "system": "troth-0.2.0",
    "clock": "off",
}


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_every_word_of_a_run_changes_its_link(name: str) -> None:
    assert replace(RUN, **{name: CHANGED[name]}).link != RUN.link


def test_only_the_name_of_the_record_is_not_in_the_link() -> None:
    assert {one.name for one in fields(Run)} - set(CHANGED) == {"request"}
    assert replace(RUN, request="run_b").link == RUN.link


def test_the_link_of_a_run_is_this_one() -> None:
    """Written down, so that no change of the code changes it unnoticed."""
    assert RUN.link == "429eefe234db492cc7fdb861ff9a5796110e5656815de8240a1cdf0138d37b55"


def test_the_envelope_is_made_again_from_run_and_signature() -> None:
    key = TestKey()
    told = statement(RUN)
    made = envelope(told, IN_TOTO, key.name, signature_over(told, IN_TOTO, key))
    assert made == sign_envelope(told, IN_TOTO, key)
    assert verify_envelope(made, IN_TOTO, {key.name: key.public_key}) == told
    assert told["subject"] == [{"name": "one#7", "digest": {"sha256": RUN.link}}]
    other = envelope(statement(replace(RUN, tested=3)), IN_TOTO, key.name, signature_over(told, IN_TOTO, key))
    with pytest.raises(IntegrityError):
        verify_envelope(other, IN_TOTO, {key.name: key.public_key})


def test_the_summary_says_passed_only_of_a_pass_whose_control_failed() -> None:
    assert summary(RUN, "https://troth.test")["predicate"] == {
        "verifier": {"id": "https://troth.test"},
        "timeCreated": "2027-01-15T08:00:00.000Z",
        "properties": ["TROTH_CHECK_PASSED"],
    }
    for other in ({"result": Result.FAIL}, {"control": Result.PASS}, {"clock": "off"}):
        assert summary(replace(RUN, **other), "x")["predicate"]["properties"] == []
