"""The engine: gate, context, linear time, no exception on any text."""

from __future__ import annotations

import itertools
import random
import string
import time

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.redact.detect import RuleDetector, rules_detector
from troth.redact.detect.compiled import Compiled, options
from troth.redact.detect.rule import Rule, whole
from troth.redact.detect.rules import TABLE
from troth.redact.detect.scout import Scout
from troth.redact.detect.shadow import shadow
from troth.redact.detect.work import Work

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


def _gate_stands(compiled: Compiled, data: bytes, place: int) -> bool:
    gate = re2.compile(compiled.gate.encode("latin-1"), options())
    return gate.match(data, place) is not None


@given(st.lists(_BITS, max_size=16).map("".join))
@settings(max_examples=15, deadline=None)
def test_the_scouts_lose_nothing(text: str) -> None:
    detector = rules_detector()
    assert isinstance(detector, RuleDetector)
    data = b"\n" + shadow(text) + b"\0"
    work = Work(data, 1, len(data) - 1)
    for compiled in detector.rules:  # each rule at every place, but behind its words where it needs them
        for place in range(len(text)):
            if not compiled.driven or _gate_stands(compiled, data, place):
                work.add([compiled], place)
    assert detector.detect(text) == work.spans()


@given(
    st.lists(st.one_of(st.text(st.characters(), max_size=60), st.lists(_BITS, max_size=10).map("".join)), max_size=8)
)
@settings(max_examples=100, deadline=None)
def test_many_texts_have_the_finds_of_each(texts: list[str]) -> None:
    detector = rules_detector()
    assert isinstance(detector, RuleDetector)
    assert list(detector.detect_many(texts)) == [detector.detect(text) for text in texts]


def test_texts_scanned_as_one_do_not_touch() -> None:
    detector = rules_detector()
    assert isinstance(detector, RuleDetector)
    cut = (
        "my password is|hunter2x|card 4111 1111|1111 1111|passport number|A12345678|Anna|Keller|"
        "-----BEGIN PRIVATE KEY-----|MIIE|-----END PRIVATE KEY-----|a@|example.org|<x_y> hi"
    ).split("|")
    assert list(detector.detect_many(cut)) == [detector.detect(text) for text in cut]
    assert list(detector.detect_many([])) == []
    assert [bool(found) for found in detector.detect_many(["x" * 70_000, "a@b.org"] * 40)] == [False, True] * 40


def test_a_long_text_is_read_in_windows_that_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = rules_detector()
    assert isinstance(detector, RuleDetector)
    part = "Write to ann.lee@example.org or call +44 20 7946 0958, card 4111 1111 1111 1111. Nothing here. "
    text = "".join(part[: 20 + 7 * (i % 11)] + part for i in range(400))
    whole = detector.detect(text)
    monkeypatch.setattr("troth.redact.detect.engine._LONG", 100)
    monkeypatch.setattr("troth.redact.detect.engine._WINDOW", 1009)
    monkeypatch.setattr("troth.redact.detect.engine._MARGIN", 300)
    assert len(whole) > 1200
    assert detector.detect(text) == whole
    assert list(detector.detect_many(["a@b.org", text, "x"])) == [detector.detect("a@b.org"), whole, []]


@pytest.mark.parametrize("unit", ["\0", "\ud800", "[", "\\u0041", '{"a":', "\U000e0041", "1", " ", "\r"])
def test_a_line_of_megabytes_of_anything_is_answered(unit: str) -> None:
    """And a find in its middle is found."""
    half = unit * (300_000 // len(unit))
    text = half + " ann.lee@example.org " + half
    assert "email" in [s.kind for s in rules_detector().detect(text)]


def test_a_set_that_gives_up_runs_everything() -> None:
    detector = RuleDetector(TABLE)
    for _, scout in detector.scouts:
        if isinstance(scout, Scout):
            scout.sentinel = 10_000  # as if the set had run out of memory
    assert [s.kind for s in detector.detect("card 4111 1111 1111 1111")] == ["payment_card"]


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
    (
        r"1 ;a@;eyJ;-----BEGIN PRIVATE KEY-----;A. ;://;0-;call 1;Ab ;password=;::1;(((;\;A.;12 A ;Via A;x:;"
        r'"@;%41;&#64;**a;dl a;tel ;May 1;12 May 2;a-b_;Aweg '
    ).split(";"),
)
def test_time_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        begin = time.process_time()
        rules_detector().detect(text)
        return time.process_time() - begin

    seconds(2_000)
    small, large = min(seconds(2_000) for _ in range(2)), seconds(16_000)
    assert large < 24 * max(small, 0.004)  # eight times the text; a quadratic rule would take sixty-four times


def test_random_letters_are_no_people() -> None:
    r = random.Random(1)
    text = " ".join("".join(r.choices(string.ascii_lowercase, k=r.randint(2, 9))) for _ in range(2000))
    assert rules_detector().detect(text) == []
