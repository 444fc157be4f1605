"""A policy decides on everything, or is none (TRN-03)."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from troth.kernel.errors import Invalid, NotFound
from troth.redact.detect import CATEGORIES, KINDS
from troth.redact.policy import Action, lint, load_policy, parse_policy, training_policy, vendor_policy

TRAINING = resources.files("troth.redact").joinpath("policies", "training.yaml").read_text(encoding="utf-8")


def without(category: str) -> str:
    lines, skipping = [], False
    for line in TRAINING.splitlines():
        if line.startswith("  ") and not line.startswith("   "):
            skipping = line.startswith(f"  {category}:")
        if not skipping:
            lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_an_omitted_category_is_named(category: str) -> None:
    assert [f for f in lint(without(category)) if category in f]
    with pytest.raises(Invalid, match=f"category {category};") as caught:
        parse_policy(without(category))
    assert caught.value.code == "policy-incomplete"


def test_shipped_policies_are_complete() -> None:
    assert lint(TRAINING) == []
    for policy in (training_policy(), vendor_policy()):
        assert {policy.action(kind) for kind in KINDS} <= set(Action)
        assert set(policy.decisions) == set(CATEGORIES)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  email: label", "  email: shred", "decision on email"),
        ("  email: label", "  email:\n    keep: ''", "keeps the category email without a reason"),
        ("  email: label", "  email: {remove: x}", "decision on email"),
        ("decisions:", "decisions:\n  shoe_size: remove", "unknown category: shoe_size"),
        ("  organisation:", "  organisation: remove\n  x:", "No detector finds the category organisation"),
        ("version: 1", "version: 0", "version"),
        ("name: training", "name: 'A B'", "name"),
        ("min_recall: 0.9", "min_recall: 2", "min_recall"),
        ("min_recall: 0.9", "colour: red", "colour"),
    ],
)
def test_refusals(old: str, new: str, says: str) -> None:
    text = TRAINING.replace(old, new, 1)
    with pytest.raises(Invalid) as caught:
        parse_policy(text)
    assert any(says in sentence for sentence in [caught.value.advice, *lint(text)])


@pytest.mark.parametrize("text", ["", "[]", "a: [", "decisions: 3", "!!python/object/apply:os.getcwd []"])
def test_no_policy_at_all(text: str) -> None:
    with pytest.raises(Invalid):
        parse_policy(text)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(Invalid, match="taxonomy"):
        training_policy().action("shoe_size")


def test_digest_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(TRAINING)
    assert load_policy(path).digest() == training_policy().digest()
    path.write_text(TRAINING.replace("email: label", "email: remove"))
    assert load_policy(path).digest() != training_policy().digest()
    with pytest.raises(NotFound):
        load_policy(tmp_path / "none.yaml")
