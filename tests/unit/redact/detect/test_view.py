"""What a reader sees, and the way back to what is written."""

from __future__ import annotations

import itertools
import json
import time
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.redact.detect import rules_detector
from troth.redact.detect.shadow import shadow
from troth.redact.detect.view import Sight, see_through

_BITS = st.sampled_from(
    [
        *(r"\u0040|\\u0040|\ud835\udc23|\n|\"|\x40|\u{40}|\U00000040|\u00|\ud835|%40|%C3%BC|%ff|%4|&#64;|&#x40;|&amp;|".split("|")),
        *("&commat;|&nothing;|&#99999999;|&|\u200b|\u00ad|\u0308|\ufe0f|\U000e0041|\x00|_|**|`|~~~~|*|\\|%|".split("|")),
        *("a@b.org|Maria Keller|4111 1111 1111 1111| |\n|\xa0|é|😀|\ud800|1|x".split("|")),
    ]
)  # fmt: skip
_TEXTS = st.one_of(st.text(st.characters(), max_size=80), st.lists(_BITS, max_size=16).map("".join))
_WORDS = st.text("abcXYZ019 @.:/-\n", max_size=60)


def sight(text: str) -> Sight | None:
    return see_through(text, shadow(text))


def read(text: str) -> str:
    seen = sight(text)
    return text if seen is None else seen.text


@pytest.mark.parametrize(
    ("written", "reads"),
    [
        (r"m\u00fcller", "müller"),
        (r"a\\\\u0040b", "a@b"),
        (r"a\u0026#64;b", "a@b"),
        (r"\ud835\udc23ohn", "\U0001d423ohn"),
        (r"a\x40b\u{40}c\U00000040", "a@b@c@"),
        (r"{\"a\":\"b\"}", '{"a":"b"}'),
        ("m%C3%BCller%2540b", "müller@b"),
        ("%C3%28%FF", "\xc3(\xff"),
        ("a&#64;b&#x40;c&commat;d&amp;#64;e&#64f", "a@b@c@d@e@f"),
        ("a\u200bb\u2060c\ufeffd\u00ade\ufe0ff\x00g\U000e0041h\u034fi", "abcdefghi"),
        ("Mu\u0308ller j\u0336o", "Müller jo"),
        ("**a** _b_ `c` __d__ ~~e~~ f*g*h", "a b c d e fgh"),
    ],
)
def test_reads_as(written: str, reads: str) -> None:
    assert read(written) == reads


@pytest.mark.parametrize(
    "text",
    ["snake_case and CamelCase", "5 % of 3 & 4", r"C:\Users\data", "2 * 3 * 4", "a & b",
     "❤️ 👨\u200d👩 ok", "&nothing;",
     "_open and * never closed", "_one\nline_", "100%"],
)  # fmt: skip
def test_reads_as_it_is_written(text: str) -> None:
    assert read(text) == text


@given(_TEXTS)
@settings(max_examples=300, deadline=None)
def test_every_span_of_a_view_has_its_place_in_order(text: str) -> None:
    seen = sight(text)
    if seen is None:
        return
    places = [seen.back(at, at + 1) for at in range(len(seen.text))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(places))
    for start, end in itertools.combinations(range(0, len(places), 3), 2):
        assert seen.back(start, end) == (places[start][0], places[end - 1][1])


@given(_TEXTS)
@settings(max_examples=150, deadline=None)
def test_detection_holds_on_any_text(text: str) -> None:
    spans = rules_detector().detect(text)
    assert all(0 <= s.start < s.end <= len(text) and 0.5 <= s.score <= 1 for s in spans)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


@given(_WORDS)
def test_plain_text_has_no_other_view(text: str) -> None:
    assert sight(text) is None


@given(st.text(st.characters(categories=("L", "Nd", "Zs")), min_size=1, max_size=40))
def test_what_the_usual_encoders_write_reads_as_it_was(text: str) -> None:
    plain = unicodedata.normalize("NFC", text)
    if sight(plain) is None:
        assert read(json.dumps(plain)[1:-1]) == plain
        assert read(json.dumps(json.dumps(plain)[1:-1])[1:-1]) == plain
        assert read(quote(plain, safe="")) == plain
        assert read("".join(f"&#{ord(c)};" for c in plain)) == plain


@settings(deadline=None)
@given(st.lists(st.sampled_from(["john.doe", "@", "acme-corp.com", "\u200b", "\u00ad", "\u2060"]), min_size=1))
def test_a_find_covers_every_character_of_its_value(parts: list[str]) -> None:
    value = "john\u200b.doe" + "".join(p for p in parts if len(p) == 1 and p != "@") + "@acme-corp.com"
    (span,) = rules_detector().detect(f"write to {value} now")
    assert (span.start, span.end, span.kind) == (9, 9 + len(value), "email")


@pytest.mark.parametrize(
    "unit", ["\\", "\\u0040", "%", "%4", "&amp;", "&a", "1\u200b", "a\u0308", "_a", "*", "`a", "*a* "]
)
def test_time_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        begin = time.process_time()
        sight(text)
        return time.process_time() - begin

    small, large = min(seconds(5_000) for _ in range(3)), min(seconds(40_000) for _ in range(2))
    assert large < 24 * max(small, 0.004)  # eight times the text; a quadratic pass would take sixty-four times
