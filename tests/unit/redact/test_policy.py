"""A policy decides on everything, or is none (TRN-03)."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from troth.kernel.errors import Invalid, NotFound, TooLarge
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


def test_a_policy_of_very_many_nodes_is_refused() -> None:
    with pytest.raises(TooLarge):
        parse_policy(TRAINING + "\nx: [" + "a," * 300 + "]", most_nodes=300)
    twice = "decisions:\n" + "".join(f" {number}: label\n" for number in range(5_000)) + " 7: label\n"
    problems = lint(twice)  # read within a moment: a look at all earlier keys for each would take 12 million
    assert [one.where for one in problems if one.code == "contradiction"] == ["7"]


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_an_omitted_category_is_named(category: str) -> None:
    assert [(f.code, f.where) for f in lint(without(category))] == [("missing", f"decisions.{category}")]
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
        ("  email: label", "  email: label\n  email: remove", "says email twice"),
        ("  email: label", "  email: &a label\n  url: *a", "anchors"),
        ("decisions:", "kinds: {us_ssn: shred}\ndecisions:", "decision on us_ssn"),
        ("decisions:", "kinds: {shoe_size: remove}\ndecisions:", "unknown kind: shoe_size"),
        ("decisions:", "kinds: {email: remove}\ndecisions:", "all there is of the category email"),
        ("decisions:", "kinds: {us_ssn: {keep: why}}\ndecisions:", "keeps the kind us_ssn without a reason"),
        ("decisions:", "kinds: []\ndecisions:", "no mapping"),
        ("decisions:", "allow: [{value: x}]\ndecisions:", "allow.0.reason"),
        ("decisions:", "allow: [{value: x, reason: why}]\ndecisions:", "has no reason"),
        ("decisions:", "allow: [{value: x, pattern: y, reason: our own desk}]\ndecisions:", "either a value or a"),
        ("decisions:", "allow: [{pattern: '.*', reason: our own desk}]\ndecisions:", "lets everything pass"),
        ("decisions:", "allow: [{pattern: '(?=a)', reason: our own desk}]\ndecisions:", "no RE2"),
        ("decisions:", "allow: [{value: x, reason: our own desk, kinds: [shoe]}]\ndecisions:", "unknown kind: shoe"),
        ("decisions:", "detectors: [{name: badge, decision: label}]\ndecisions:", "needs one of pattern"),
        ("decisions:", "detectors: [{name: badge, pattern: a, words: [b], decision: label}]\ndecisions:", "one of pat"),
        ("decisions:", "detectors: [{name: badge, pattern: 'a{2000}{2000}', decision: label}]\ndecisions:", "no RE2"),
        ("decisions:", "detectors: [{name: badge, pattern: '(a)\\1', decision: label}]\ndecisions:", "no RE2"),
        ("decisions:", "detectors: [{name: badge, pattern: 'a*', decision: label}]\ndecisions:", "nothing at all"),
        ("decisions:", "detectors: [{name: badge, pattern: a}]\ndecisions:", "no kind and no decision"),
        ("decisions:", "detectors: [{name: badge, pattern: a, kind: shoe}]\ndecisions:", "unknown kind: shoe"),
        ("decisions:", "detectors: [{name: badge, pattern: a, decision: shred}]\ndecisions:", "detectors.0"),
        ("decisions:", "detectors: [{name: badge, words: [' '], decision: label}]\ndecisions:", "empty word"),
        ("decisions:", "detectors: [{name: email, pattern: a, decision: label}]\ndecisions:", "name of another"),
        ("decisions:", "detectors: [{name: x y, pattern: a, decision: label}]\ndecisions:", "detectors.0.name"),
        ("decisions:", "detectors: [badge]\ndecisions:", "detectors.0"),
        ("decisions:", "detectors: badge\ndecisions:", "is a list"),
        ("version: 2", "version: 0", "version"),
        ("version: 2", "shift_dates: never\nversion: 2", "shift_dates"),
        ("name: training", "name: 'A B'", "name"),
        ("min_recall: 0.9", "min_recall: 2", "min_recall"),
        ("min_recall: 0.9", "colour: red", "colour"),
    ],
)
def test_refusals(old: str, new: str, says: str) -> None:
    text = TRAINING.replace(old, new, 1)
    with pytest.raises(Invalid) as caught:
        parse_policy(text)
    assert any(says in sentence for sentence in [caught.value.advice, *said(text)])


def said(text: str) -> list[str]:
    """The sentences of the lint; none when the text is no policy at all."""
    try:
        return [problem.says for problem in lint(text)]
    except Invalid:
        return []


def test_a_kind_may_differ_from_its_category() -> None:
    policy = parse_policy(TRAINING.replace("decisions:", "kinds: {us_ssn: remove, nationality: label}\ndecisions:"))
    assert policy.action("us_ssn") is Action.REMOVE
    assert policy.action("us_itin") is Action.LABEL
    assert (policy.action("nationality"), policy.action("gender")) == (Action.LABEL, Action.KEEP)


def test_a_detector_brings_its_own_kind() -> None:
    own = "detectors: [{name: badge_number, pattern: 'B-[0-9]{4}', decision: pseudonym}]\ndecisions:"
    policy = parse_policy(TRAINING.replace("decisions:", own))
    assert policy.action("badge_number") is Action.PSEUDONYM
    assert (policy.label("badge_number"), policy.label("email")) == ("BADGE_NUMBER", "EMAIL")
    assert not training_policy().needs_model()
    assert parse_policy(TRAINING.replace("  organisation:", "  organisation: label\n  x:").replace(
        "\n  x:\n    keep: A company", "\n# ")).needs_model()  # fmt: skip


def test_a_policy_has_a_size() -> None:
    with pytest.raises(TooLarge):
        lint("#" * 5_000_000)


@pytest.mark.parametrize("text", ["", "[]", "a: [", "decisions: 3", "!!python/object/apply:os.getcwd []"])
def test_no_policy_at_all(text: str) -> None:
    with pytest.raises(Invalid):
        parse_policy(text)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(Invalid, match="taxonomy"):
        training_policy().action("shoe_size")


def test_a_copy_decides_anew_and_is_checked() -> None:
    policy = training_policy()
    assert policy.action("email") is Action.LABEL
    changed = policy.model_copy(update={"decisions": {**policy.decisions, "email": {"action": "remove"}}})
    assert changed.action("email") is Action.REMOVE
    assert changed.digest() != policy.digest()
    with pytest.raises(ValueError, match="category email"):
        policy.model_copy(update={"decisions": {k: v for k, v in policy.decisions.items() if k != "email"}})


def test_digest_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(TRAINING)
    assert load_policy(path).digest() == training_policy().digest()
    path.write_text(TRAINING.replace("email: label", "email: remove"))
    assert load_policy(path).digest() != training_policy().digest()
    with pytest.raises(NotFound):
        load_policy(tmp_path / "none.yaml")


def test_a_policy_without_a_digest_is_refused() -> None:
    """Half a surrogate pair, and a number that canonical JSON cannot say."""
    text = TRAINING
    odd = text + '\ndetectors:\n  - {name: foo_bar, words: ["\\ud800"], kind: passport}\n'
    for bad in (odd, text.replace("version: 2", "version: 99999999999999999999")):
        with pytest.raises(Invalid) as refused:
            parse_policy(bad)
        assert refused.value.code == "policy-invalid"


def test_a_pattern_that_is_slow_however_linear_is_refused() -> None:
    """Seventy thousand states are all alive at each letter: 25,000 letters took nine seconds."""
    slow = "|".join(f"[ab]*a[ab]{{{n}}}c" for n in range(300, 600, 2))
    odd = TRAINING + f'\ndetectors:\n  - {{name: foo_bar, pattern: "{slow}", kind: passport}}\n'
    assert [one.where for one in lint(odd)] == ["detectors.foo_bar"]


def test_patterns_that_are_too_large_together_are_refused() -> None:
    """Each is small enough alone; a text is searched for all of them."""
    half = "(xy){900}"
    for count, bad in ((10, []), (60, ["detectors"])):
        many = "".join(f"\n  - {{name: of_{chr(97 + n // 26)}{chr(97 + n % 26)}, pattern: '{half}', kind: passport}}"
                       for n in range(count))  # fmt: skip
        assert [one.where for one in lint(f"{TRAINING}\ndetectors:{many}\n")] == bad


@pytest.mark.parametrize("pattern", ["[A-Za-z].*", ".*[a-z].*", "[^4]*"])
def test_an_allow_list_that_lets_unlike_values_pass_is_refused(pattern: str) -> None:
    odd = TRAINING + f'\nallow:\n  - {{pattern: "{pattern}", reason: "because it is a test"}}\n'
    assert [(one.code, one.where) for one in lint(odd)] == [("contradiction", "allow.0")]
