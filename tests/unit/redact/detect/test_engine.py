"""The engine: gate, context, linear time, no exception on any text."""

from __future__ import annotations

import itertools
import random
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.redact.detect import RuleDetector, rules_detector
from troth.redact.detect.engine import _regions, _scan
from troth.redact.detect.rule import Rule, whole
from troth.redact.detect.rules import TABLE
from troth.redact.detect.shadow import shadow
from troth.redact.detect.spans import Span, resolve

_BITS = st.sampled_from(
    (
        "Maria Keller|a@b.org|+44 20 7946 0958|4111 1111 1111 1111|Dear |IBAN |password=|é|😀|\n|born |12.3.1980|"
        "DE89370400440532013000|https://x.org/|::|0| |, |Street|12 |-|/"
    ).split("|")
)


@given(st.one_of(st.text(st.characters(), max_size=80), st.lists(_BITS, max_size=14).map("".join)))
@settings(max_examples=150, deadline=None)
def test_never_raises_and_answers_in_order(text: str) -> None:
    spans = rules_detector().detect(text)
    assert all(0 <= s.start < s.end <= len(text) and 0.5 <= s.score <= 1 for s in spans)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


@given(st.lists(_BITS, max_size=16).map("".join))
@settings(max_examples=150, deadline=None)
def test_the_gate_loses_nothing(text: str) -> None:
    detector = rules_detector()
    assert isinstance(detector, RuleDetector)
    found: list[Span] = []
    data = shadow(text)
    for compiled in detector._rules:
        for start, end in _regions(compiled, data):
            _scan(compiled, data, start, end, found)
    assert detector.detect(text) == resolve(found)


def test_a_gate_that_gives_up_runs_everything() -> None:
    detector = RuleDetector(TABLE)
    detector._gates[0].sentinel = 10_000  # as if the set had run out of memory
    assert [s.kind for s in detector.detect("mail a@example.org")] == ["email"]


def test_context_is_a_whole_word() -> None:
    detector = RuleDetector([Rule(kind="passport", pattern=r"\d{6}", score=0.2, context="lic|nhs(?:no)?")])
    assert detector.detect("public 123456") == []
    assert [s.start for s in detector.detect("lic 123456")] == [4]
    assert [s.start for s in detector.detect("nhs_no: 123456")] == [8]


def test_the_nearer_word_counts() -> None:
    detector = RuleDetector([Rule(kind="passport", pattern=r"\d{6}", score=0.2, context="passport", against="order")])
    assert [s.start for s in detector.detect("order passport 123456")] == [15]
    assert detector.detect("passport order 123456") == []


def test_a_context_word_speaks_for_one_value_or_a_list() -> None:
    detector = RuleDetector([Rule(kind="passport", pattern=r"\d{6}", score=0.2, context="passports?")])
    assert len(detector.detect("passport 123456, built by machine 654321")) == 1
    assert len(detector.detect("passports 123456 and 654321")) == 2


def test_a_refused_candidate_hides_none() -> None:
    rule = Rule(kind="passport", pattern=r"\b\d+(?: \d+)?", score=0.9, check=whole(lambda v: v == "22 33"))
    assert [(s.start, s.end) for s in RuleDetector([rule]).detect("11 22 33")] == [(3, 8)]


def test_version_changes_with_the_table() -> None:
    assert RuleDetector(TABLE[:3]).version != RuleDetector(TABLE[:4]).version
    assert RuleDetector(TABLE[:3]).version == RuleDetector(TABLE[:3]).version


@pytest.mark.parametrize(
    "unit",
    ["1 ", "a@", "eyJ", "-----BEGIN PRIVATE KEY-----", "A. ", "://", "0-", "call 1", "Ab ", "password=", "::1", "((("],
)
def test_time_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        begin = time.process_time()
        rules_detector().detect(text)
        return time.process_time() - begin

    seconds(5_000)
    small, large = min(seconds(5_000) for _ in range(2)), seconds(40_000)
    assert large < 24 * max(small, 0.004)  # eight times the text; a quadratic rule would take sixty-four times


def test_random_letters_are_no_people() -> None:
    r = random.Random(1)
    text = " ".join("".join(r.choices(string.ascii_lowercase, k=r.randint(2, 9))) for _ in range(2000))
    assert rules_detector().detect(text) == []
