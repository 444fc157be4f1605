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
    assert shadow("\u202f\u00a0") == b" \xa0"
