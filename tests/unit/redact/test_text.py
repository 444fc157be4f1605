"""Redaction of one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.errors import Invalid
from troth.redact.detect import Span, rules_detector
from troth.redact.policy import Action, Decision, Policy, training_policy
from troth.redact.text import BLOCK, dataset_key, pseudonym, redact

KEY = dataset_key(b"k" * 32, "one")


def policy(action: Action) -> Policy:
    decisions = dict(training_policy().decisions)
    return Policy(name="t", version=1, decisions={**decisions, "email": Decision(action=action)})


class Everything:
    """Finds every letter run, as e-mail."""

    version = "test"

    def detect(self, text: str) -> list[Span]:
        spans, start = [], None
        for i, c in enumerate(text + " "):
            if c.isalpha() and start is None:
                start = i
            elif not c.isalpha() and start is not None:
                spans.append(Span(start, i, "email", 1.0, "test"))
                start = None
        return spans


@pytest.mark.parametrize(
    ("action", "result"),
    [(Action.REMOVE, "😀 to !"), (Action.MASK, f"😀 to {BLOCK * 13}!"), (Action.LABEL, "😀 to <EMAIL>!")],
)
def test_actions(action: Action, result: str) -> None:
    redacted = redact("😀 to a@example.org!", rules_detector(), policy(action), KEY)
    assert redacted.text == result
    assert [(s.start, s.end) for s in redacted.spans] == [(5, 18)]
    assert redacted.counts == {"email": 1}


def test_pseudonyms_are_consistent_and_unlinkable() -> None:
    one = redact("Mrs Maria Keller met Mrs  MARIA KELLER", rules_detector(), training_policy(), KEY).text
    first, second = (word for word in one.split() if word.startswith("<PERSON_"))
    assert first == second
    other = redact("Mrs Maria Keller", rules_detector(), training_policy(), dataset_key(b"k" * 32, "two")).text
    assert first not in other
    assert pseudonym("x", "PERSON", KEY) != pseudonym("x", "USERNAME", KEY)


def test_kept_kinds_are_not_counted() -> None:
    redacted = redact("released 2024-05-17", rules_detector(), training_policy(), KEY)
    assert redacted == type(redacted)("released 2024-05-17", (), {})


def test_refusals() -> None:
    with pytest.raises(Invalid, match="key"):
        redact("nothing here", rules_detector(), training_policy())
    with pytest.raises(Invalid, match="32 bytes"):
        redact("nothing here", rules_detector(), training_policy(), b"short")
    with pytest.raises(Invalid, match="32 bytes"):
        dataset_key(b"short", "x")


@given(st.text(max_size=60))
def test_what_is_found_is_gone(text: str) -> None:
    result = redact(text, Everything(), policy(Action.MASK), KEY)
    assert not any(c.isalpha() for c in result.text)
    assert len(result.text) == len(text)


class Mentions:
    """Says of each name whom it means."""

    version = "mentions"

    def detect(self, text: str) -> list[Span]:
        names = [(text.index(name), name) for name in ("Maria Keller", "Ms Keller", "KELLER", "Bo Li")]
        return [Span(at, at + len(n), "person", 1.0, "m", "" if n == "Bo Li" else "Maria Keller") for at, n in names]


@pytest.mark.parametrize("action", [Action.PSEUDONYM, Action.SURROGATE])
def test_one_person_is_one_pseudonym_in_all_mentions(action: Action) -> None:
    decisions = dict(training_policy().decisions) | {"person_name": Decision(action=action)}
    one = Policy(name="t", version=1, decisions=decisions)
    said = redact("Maria Keller | Ms Keller | KELLER | Bo Li", Mentions(), one, KEY).text.split(" | ")
    surnames = [words.split()[-1].casefold() for words in said]
    assert surnames[0] == surnames[1] == surnames[2] != surnames[3]
