"""One byte for each code point, whatever the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from troth.redact.detect.shadow import shadow


@given(st.text(st.characters(), max_size=200))
def test_one_byte_per_code_point(text: str) -> None:
    assert len(shadow(text)) == len(text)


def test_lone_surrogates_and_emoji() -> None:
    assert len(shadow("\ud800a😀b")) == 4


def test_stand_ins() -> None:
    assert shadow("\u201cKrčmář\u201d \u2013 \uff11\uff12٣ Łódź\u2019s") == b'"Krcm\xe1r" - 123 L\xf3dz\'s'
    assert shadow("\u202f\u00a0\u3000\u2800") == b"    "
    assert shadow("\u2032\u2033\uff20\u3002") == b"'\"@."


def test_what_nobody_sees_and_what_joins_the_letter_before() -> None:
    assert shadow("\u200b\u2060\ufeff\ufe0f\x00\x1b\U000e0041") == b"\xad" * 7
    assert shadow("u\u0308") == b"u\xaf"
    assert shadow("a\t\r\n\x0b") == b"a\t\r\n\x0b"
