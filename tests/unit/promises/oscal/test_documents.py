"""The eight documents: alike for like input, honest about what is unknown, deaf to markup."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from oscal_world import assessed
from troth.kernel.errors import IntegrityError
from troth.promises.oscal import words
from troth.promises.oscal.assessed import Assessed
from troth.promises.oscal.documents import NAMES, documents, packed


@pytest.fixture(scope="module")
def told() -> Assessed:
    return assessed(40)


@pytest.fixture(scope="module")
def made(told: Assessed) -> dict[str, dict[str, Any]]:
    return documents(told)


def findings(made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    result = made[words.RESULTS]["assessment-results"]["results"][0]
    return {one["title"]: one for one in result["findings"]}


def test_equal_input_gives_equal_bytes(told: Assessed) -> None:
    assert packed(told) == packed(assessed(40))
    assert set(packed(told)) == set(NAMES)


def test_another_moment_gives_another_document(told: Assessed, made: dict[str, dict[str, Any]]) -> None:
    later = documents(replace(told, end=told.end + 1000))
    assert all(later[name] != made[name] for name in NAMES)


def test_only_what_is_kept_or_excused_is_satisfied(told: Assessed, made: dict[str, dict[str, Any]]) -> None:
    satisfied = {name for name, one in findings(made).items() if one["target"]["status"]["state"] == "satisfied"}
    assert satisfied == {one.id for one in told.found if one.state in ("kept", "kept with exception")}
    assert 0 < len(satisfied) < len(told.promises)


def test_what_is_not_kept_stands_in_the_plan_of_action(told: Assessed, made: dict[str, dict[str, Any]]) -> None:
    items = made[words.POAM]["plan-of-action-and-milestones"]["poam-items"]
    assert [one["title"].partition(":")[0] for one in items] == [one.id for one in told.found if one.state != "kept"]


def test_a_plan_of_action_says_so_when_nothing_is_open(told: Assessed) -> None:
    seen = told.observed[0]
    kept = replace(
        told,
        observed=(replace(seen, verdict="pass"),),
        found=tuple(replace(one, state="kept", excuses=(), checks=(seen.check,)) for one in told.found),
    )
    items = documents(kept)[words.POAM]["plan-of-action-and-milestones"]["poam-items"]
    assert [one["title"] for one in items] == ["Nothing is open"]


def test_nothing_is_green_by_a_run_that_did_not_pass(told: Assessed) -> None:
    green = tuple(replace(one, state="kept") for one in told.found)
    with pytest.raises(IntegrityError, match="satisfied-by-nothing"):
        documents(replace(told, found=green))


def test_a_waiver_gives_the_risk_its_end(told: Assessed, made: dict[str, dict[str, Any]]) -> None:
    excused = next(one for one in told.found if one.excuses)
    risks = made[words.RESULTS]["assessment-results"]["results"][0]["risks"]
    risk = next(one for one in risks if one["title"].startswith(words.prose(excused.id)))
    assert risk["status"] == "deviation-approved"
    assert risk["deadline"] == words.moment(excused.excuses[0].ends)
    assert [one.get("end") for one in risk["risk-log"]["entries"]].count(None) == 1


def test_hostile_text_is_no_markup(made: dict[str, dict[str, Any]]) -> None:
    activity = made[words.PLAN]["assessment-plan"]["local-definitions"]["activities"][0]
    assert r"\<script\>" in activity["description"]
    assert r"\[a\](javascript:x)" in activity["description"]
    assert not {"\n", "\x00", "\u202e"} & set(json.dumps(made, ensure_ascii=False))


@pytest.mark.parametrize("text", ["", " ", "\x00", "\u202e"])
def test_an_empty_text_is_a_dash(text: str) -> None:
    assert words.line(text) == words.prose(text) == "-"


def test_the_mapping_names_controls_as_nist_does(made: dict[str, dict[str, Any]]) -> None:
    (one,) = made[words.MAPPING]["mapping-collection"]["mappings"]
    targets = {target["id-ref"] for each in one["maps"] for target in each["targets"]}
    assert {"si-19", "sc-12.1", "cp-9.8"} & targets
    mapped = {source["id-ref"] for each in one["maps"] for source in each["sources"]}
    gap = set(one["source-gap-summary"]["unmapped-controls"][0]["with-ids"])
    assert not mapped & gap


def test_a_promise_without_a_check_says_what_is_missing(made: dict[str, dict[str, Any]]) -> None:
    (component,) = made[words.COMPONENTS]["component-definition"]["components"]
    (implementation,) = component["control-implementations"]
    bare = [one for one in implementation["implemented-requirements"] if "props" not in one]
    assert bare
    assert all(one["remarks"] for one in bare)
