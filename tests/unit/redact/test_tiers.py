"""The tiers by name: they load the shipped weights or stop the start, and bad input never breaks them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from troth.kernel.errors import Invalid, Unavailable
from troth.redact import tiers
from troth.redact.detect import KINDS, Detector, rules_detector
from troth.redact.model.digests import DIGESTS

MODELS = [tier for tier in tiers.TIERS if tier != "rules"]
LETTER = (
    "Dear Ms Okonkwo,\n\nRichard Tremaine of Bergmann Logistics moved from Lyon to Manchester on 12 March 2021. "
    "Tremaine's card 4111 1111 1111 1111 expired; write to r.tremaine@example.org.\n\nKind regards,\nAnna Lindqvist"
)


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> Detector:
    return tiers.detector(request.param)


def found(detector: Detector, text: str) -> set[tuple[str, str]]:
    return {(text[s.start : s.end], s.kind) for s in detector.detect(text)}


def test_an_unknown_tier_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="rules, fast"):
        tiers.detector("best")
    assert tiers.detector("rules") is rules_detector()


def test_a_letter(model: Detector) -> None:
    spans = found(model, LETTER)
    words = {word for value, _ in spans for word in value.split()}
    assert {"Okonkwo", "Richard", "Tremaine", "Lyon", "Manchester", "Anna", "Lindqvist"} <= words
    assert ("4111 1111 1111 1111", "payment_card") in spans
    assert ("r.tremaine@example.org", "email") in spans
    assert any(kind == "organisation" for _, kind in spans)
    assert any(kind == "place" for _, kind in spans)
    assert not {"moved", "from", "expired", "write", "card", "of"} & words


def test_plain_text_has_nothing(model: Detector) -> None:
    for text in (
        "",
        " \n\t",
        "Please restart the server and try again.",
        "The total is 49.90 for 3 items; version 2.4.1.",
    ):
        assert model.detect(text) == []


def test_small_letters_and_capitals(model: Detector) -> None:
    assert {"peter", "johnson"} <= {
        w for v, _ in found(model, "my name is peter johnson and i live here") for w in v.split()
    }
    assert {"PETER", "JOHNSON"} <= {
        w for v, _ in found(model, "MEETING WITH PETER JOHNSON ON MONDAY") for w in v.split()
    }


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec=None), max_size=200))
@example("\ud800 Peter Johnson \udfff\x00")
@example("\u0130\ufb01 Anna\u200bMeier \U0001f468\u200d\U0001f469 ")
@example("{" * 150 + '"name": "Peter Johnson"' + "}" * 20)
def test_any_text_has_sorted_spans_of_known_kinds_apart(text: str) -> None:
    for tier in MODELS:
        at = 0
        for span in tiers.detector(tier).detect(text):
            assert at <= span.start < span.end <= len(text)
            assert span.kind in KINDS
            assert 0 < span.score <= 1
            at = span.end


def test_the_same_text_has_the_same_spans_whatever_was_read_before(model: Detector) -> None:
    first = model.detect(LETTER)
    for i in range(40):
        model.detect(f"Word{i} Zygmunt{i} Qwertz Anna Bergmann {i} in Manchester, {LETTER[: i * 3]}")
    assert model.detect(LETTER) == first


def test_a_long_text_is_read_in_blocks_that_change_nothing(model: Detector) -> None:
    line = "Richard Tremaine moved from Lyon to Manchester.\n"
    spans = model.detect(line * 1500)
    kinds = [(s.start % len(line), s.end - s.start, s.kind) for s in spans]
    once = kinds[4:8]
    per_line = len(spans) / 1500
    assert per_line == int(per_line) >= 3
    assert set(kinds[20:-20]) == set(kinds[20 : 20 + int(per_line)])
    assert once


def test_one_long_word_and_one_long_line(model: Detector) -> None:
    assert {s.kind for s in model.detect("x" * 200_000)} <= {"secret_value"}
    spans = model.detect("a " * 50_000 + "Peter Johnson")
    assert [s.kind for s in spans] == ["person"]


def test_the_version_names_rules_weights_and_code() -> None:
    versions = {tier: tiers.detector(tier).version for tier in tiers.TIERS}
    assert len(set(versions.values())) == len(tiers.TIERS)
    assert all(versions[tier].startswith(f"{tier}-") for tier in MODELS)


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_other_weights_stop_the_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIGESTS, name, "0" * 64)
    for cached in (tiers._with_model, tiers.knowledge, tiers._tagger):
        cached.cache_clear()
    with pytest.raises(Unavailable) as refused:
        tiers.detector(MODELS[-1] if name != "knowledge" else "fast")
    assert refused.value.code == "model-weights"
    assert "/" not in str(refused.value)


def test_without_numpy_the_model_tiers_say_what_to_install() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from troth.redact import tiers\nfrom troth.kernel.errors import Unavailable\n"
        "tiers.detector('rules')\n"
        "try: tiers.detector('fast')\nexcept Unavailable as e: print(e.code, 'troth[model]' in str(e))"
    )
    source = str(Path(tiers.__file__).parents[2])
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    assert result.stdout.split() == ["extra-missing", "True"]
