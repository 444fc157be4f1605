"""A text is redacted alike however it is cut, and within bounded memory."""

from __future__ import annotations

import random
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from troth.kernel.errors import Conflict, Invalid, Unavailable
from troth.redact import tiers
from troth.redact.detect import Span, rules_detector
from troth.redact.model.detector import WHOLE
from troth.redact.model.segments import BEHIND, SIZE, SMALLEST, Segments, read
from troth.redact.policy import training_policy
from troth.redact.redactor import Redactor
from troth.redact.samples.generate import rows
from troth.redact.text import Redacted, redact

KEY = bytes(range(32))
LETTER = (
    "Dear Ms Okonkwo,\n\nRichard Tremaine of Bergmann Logistics moved from Lyon to Manchester on 12 March 2021. "
    "Tremaine's card 4111 1111 1111 1111 expired; write to r.tremaine@example.org.\n\nKind regards,\nAnna Lindqvist\n\n"
)
PRIVATE_KEY = (
    f"-----BEGIN RSA PRIVATE KEY-----\n{chr(10).join(['MIIEow' + 'q7Zp' * 14] * 200)}\n-----END RSA PRIVATE KEY-----\n"
)


def document(seed: int, size: int) -> str:
    """Letters, and plain words, blanks and signs between them."""
    random_ = random.Random(seed)
    parts, length = [], 0
    while length < size:
        part = random_.choice(
            [LETTER, "plain words without end ", "\n", "x" * 40 + " ", "e\u0301" * 20, "call +1 415 555 0134, "]
        )
        parts.append(part)
        length += len(part)
    return "".join(parts)


def in_pieces(redactor: Redactor, text: str, cuts: list[int]) -> tuple[str, list[Span]]:
    found: list[Span] = []
    stream = redactor.stream(found.append)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    done = [stream.feed(text[a:b]) for a, b in pairwise(edges)]
    return "".join([*done, stream.close()]), found


@pytest.fixture(scope="module", params=["rules", "fast"])
def redactor(request: pytest.FixtureRequest) -> Redactor:
    return Redactor(tiers.detector(request.param), training_policy(), KEY, segment=SMALLEST)


TEXTS = [document(seed, 7_000) for seed in range(2)]


@pytest.fixture(scope="module")
def whole(redactor: Redactor) -> list[Redacted]:
    return [redactor.redact(text) for text in TEXTS]


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([0, 1]), st.lists(st.integers(0, 7_200), max_size=40))
@example(1, list(range(5_000, 5_300)))
def test_spans_and_text_are_the_same_however_a_text_is_cut(
    redactor: Redactor, whole: list[Redacted], which: int, cuts: list[int]
) -> None:
    text, found = in_pieces(redactor, TEXTS[which], cuts)
    assert text == whole[which].text
    assert found == list(whole[which].spans)
    assert len(found) > 20


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(st.characters(codec=None), max_size=400), max_size=8), st.integers(1, 30))
@example(["\ud800", "\udc00 Peter Johnson\x00", "\u0301" * 400], 30)
def test_any_text_in_any_pieces(pieces: list[str], times: int) -> None:
    redactor = Redactor(rules_detector(), training_policy(), KEY, segment=SMALLEST)
    pieces = pieces * times
    stream = redactor.stream()
    assert "".join([*map(stream.feed, pieces), stream.close()]) == redactor.redact("".join(pieces)).text


def test_a_text_of_one_segment_is_what_the_function_makes_of_it() -> None:
    for tier in ("rules", "fast"):
        detector = tiers.detector(tier)
        redactor = Redactor(detector, training_policy(), KEY)
        for row in rows(4, seed=3):
            text = str(row)
            if tier == "fast":
                assert redactor.redact(text) == redact(text, detector, training_policy(), KEY)
            assert redactor.spans(text)[:1] == redactor.spans(text + " ")[:1]


def test_the_detector_reads_a_long_text_in_the_segments_of_a_stream() -> None:
    detector = tiers.detector("fast")
    text = document(7, SIZE + SIZE // 2)
    assert len(text) > WHOLE
    spans = detector.detect(text)
    assert spans == read(detector.detect, text)
    names = [text[s.start : s.end] for s in spans if s.kind == "person"]
    assert names.count("Anna Lindqvist") == text.count("Anna Lindqvist")


def test_a_person_of_an_early_segment_is_known_in_a_late_one() -> None:
    text = "Dear Zygmunt Okonkwobe,\n\n" + "plain words without end. " * 400 + "\n\nthen Okonkwobe left it."
    last = Redactor(tiers.detector("fast"), training_policy(), KEY, segment=SMALLEST).spans(text)[-1]
    assert (text[last.start : last.end], last.entity) == ("Okonkwobe", "Zygmunt Okonkwobe")


def test_a_find_longer_than_what_is_read_is_taken_to_its_end(redactor: Redactor) -> None:
    assert len(PRIVATE_KEY) > 2 * (SMALLEST + BEHIND)
    result = redactor.redact(f"first\n{PRIVATE_KEY}last")
    assert "q7Zp" not in result.text
    assert result.text.startswith("first\n")
    assert result.text.endswith("last")


def test_a_find_over_the_end_of_a_segment_is_whole() -> None:
    redactor = Redactor(rules_detector(), training_policy(), KEY, segment=SMALLEST)
    for shift in range(0, 60, 12):
        text = "x" * (SMALLEST - 40 + shift) + " r.tremaine@example.org " + "y" * 9_000
        assert [text[s.start : s.end] for s in redactor.spans(text)][:1] == ["r.tremaine@example.org"]


def test_memory_and_delay_are_bounded_by_the_segment() -> None:
    redactor = Redactor(rules_detector(), training_policy(), KEY, segment=SMALLEST)
    stream, fed, out = redactor.stream(), 0, 0
    piece = "plain words, " * 40
    tracemalloc.start()
    try:
        for _ in range(200):
            out += len(stream.feed(piece))
            fed += len(piece)
            assert fed - out <= SMALLEST + BEHIND + len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * fed


def test_a_failed_or_closed_stream_takes_no_more() -> None:
    class Broken:
        version = "broken"

        def detect(self, text: str) -> list[Span]:
            raise Unavailable("The detector is down.", code="detector-down")

    stream = Redactor(Broken(), training_policy(), KEY, segment=SMALLEST).stream()
    with pytest.raises(Unavailable):
        stream.feed("x" * 9_000)
    with pytest.raises(Conflict, match="closed"):
        stream.feed("y")
    whole = Redactor(rules_detector(), training_policy(), KEY).stream()
    assert whole.feed("plain") + whole.close() == "plain"
    with pytest.raises(Conflict, match="closed"):
        whole.close()


def test_a_segment_has_a_least_size_and_a_key_is_asked_for() -> None:
    with pytest.raises(Invalid) as refused:
        Redactor(rules_detector(), training_policy(), KEY, segment=SMALLEST - 1)
    assert refused.value.code == "out-of-range"
    with pytest.raises(Invalid):
        Redactor(rules_detector(), training_policy())


def test_segments_are_the_text_and_end_at_blank_lines_where_there_are_some() -> None:
    text = document(3, 20_000)
    segments = Segments(lambda _: [], size=SMALLEST)
    found = [*segments.feed(text), *segments.close()]
    assert "".join(segment.text for segment in found) == text
    assert all(SMALLEST * 3 // 4 <= len(segment.text) <= SMALLEST for segment in found[:-1])
    marks = Segments(lambda _: [], size=SMALLEST)
    first = next(marks.feed("a" * (SMALLEST - 3) + "e" + "\u0301" * 5 + "b" * 9_000))
    assert first.text.endswith("a")
