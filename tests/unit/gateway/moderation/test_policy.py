"""What a tenant may set over the floor, and what no floor may leave out."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from troth.gateway.moderation.policy import CATEGORIES, HELP, PROMPT_ATTACK, Action, Rule, read_floor
from troth.kernel.errors import Denied, Invalid

FLOOR = read_floor()


def written(**categories: tuple[str, float]) -> str:
    rules = {name: {"action": action, "threshold": limit} for name, (action, limit) in categories.items()}
    return yaml.safe_dump({"version": 2, "categories": rules})


def floor_file(folder: Path, **change: object) -> Path:
    rules = {name: {"action": "refuse", "threshold": 0.5} for name in (*CATEGORIES, PROMPT_ATTACK)}
    whole = {"version": 1, "prohibited": ["sexual/minors"], "categories": rules,
             "pictures": {"sexual": {"action": "refuse", "threshold": 0.8}}}  # fmt: skip
    path = folder / "floor.yaml"
    path.write_text(yaml.safe_dump(whole | change))
    return path


def test_the_shipped_floor_refuses_all_but_who_needs_help() -> None:
    refused = {name for name in CATEGORIES if FLOOR.action(name, 1.0) is Action.REFUSE}
    assert refused == CATEGORIES - {HELP}
    assert FLOOR.action(HELP, 1.0) is Action.REVIEW
    assert FLOOR.action("violence", 0.5) is Action.ALLOW


@pytest.mark.parametrize(
    "prohibited", [("flag", 0.5), ("review", 0.1), ("allow", 0.5), ("refuse", 0.95)], ids=lambda one: str(one[0])
)
def test_a_prohibited_class_is_never_milder(prohibited: tuple[str, float]) -> None:
    text = written(**{"sexual/minors": prohibited})
    with pytest.raises(Denied) as refusal:
        FLOOR.require_strict(text)
    assert (refusal.value.code, refusal.value.field) == ("policy-too-weak", "sexual/minors")
    # Even one that was stored before the floor rose decides as the stricter of both.
    assert FLOOR.over(text, "own").action("sexual/minors", 0.9) is Action.REFUSE


def test_other_classes_may_be_milder_and_all_may_be_stricter() -> None:
    text = written(**{"violence": ("flag", 0.4), "hate": ("refuse", 0.2)})
    FLOOR.require_strict(text)
    policy = FLOOR.over(text, "own")
    assert policy.rules["violence"] == Rule(action=Action.FLAG, threshold=0.4)
    assert policy.action("hate", 0.3) is Action.REFUSE
    assert policy.name == "floor.2.own.2"


@pytest.mark.parametrize(
    "text", ["", "[]", "version: 0", "version: 1\nextra: 1", "a: [", "version: 1\ncategories: {x: {action: flag}}",
             "version: 1\ncategories: {hate: {action: flag, threshold: 2}}", "#" * 20_000, "[" * 10_000]
)  # fmt: skip
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(Invalid):
        FLOOR.over(text, "own")


def test_a_floor_is_complete_or_stops_the_start(tmp_path: Path) -> None:
    assert read_floor(floor_file(tmp_path)).prohibited == {"sexual/minors"}
    for change in ({"prohibited": ["hate"]}, {"categories": {}}, {"pictures": {}}, {"periods": {"case_days": 1}}):
        with pytest.raises(Invalid):
            read_floor(floor_file(tmp_path, **change))
    milder = yaml.safe_load(floor_file(tmp_path).read_text())["categories"]
    milder["sexual/minors"] = {"action": "review", "threshold": 0.5}
    with pytest.raises(Invalid):
        read_floor(floor_file(tmp_path, categories=milder))


def test_what_is_said_to_be_there_and_what_is_done_are_two_limits() -> None:
    rule = Rule(action=Action.REFUSE, threshold=0.9, flagged=0.4)
    assert [rule.said(0.39), rule.said(0.4)] == [False, True]
    assert rule.at(0.4) is Action.ALLOW
    alone = Rule(action=Action.ALLOW, threshold=0.7)
    assert [alone.said(0.69), alone.said(0.7)] == [False, True]
    high = Rule(action=Action.REFUSE, threshold=0.5, flagged=0.9)
    assert high.said(0.5)  # what is refused is also said to be there
    assert rule.stricter(alone).flagged == 0.4
    assert alone.stricter(alone).flagged is None
    assert high.stricter(rule) == Rule(action=Action.REFUSE, threshold=0.5, flagged=0.4)
