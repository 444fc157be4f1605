"""Bytes of any encoding are read as text, and written again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.redact.custom import Custom
from troth.redact.decisions import Action, CustomDetector, Decision
from troth.redact.detect import rules_detector
from troth.redact.policy import training_policy
from troth.redact.reading import legible, text_of, written
from troth.redact.redactor import Redactor
from troth.redact.text import redact

KEY = b"k" * 32
LETTER = "Sehr geehrter Herr Jürgen Müller, „danke“."


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_a_name_is_read_in_any_encoding(name: str) -> None:
    text = text_of(LETTER.encode(name))
    for redacted in (redact(text, rules_detector(), training_policy(), KEY),
                     Redactor(rules_detector(), training_policy(), KEY).redact(text)):  # fmt: skip
        assert "ller" not in redacted.text
        assert "geehrter" in redacted.text


def test_detectors_of_a_policy_read_it_as_well() -> None:
    own = CustomDetector(name="street", words=("Mühlweg",), decision=Decision(action=Action.LABEL))
    assert Custom(own).find("Mühlweg 3")
    policy = training_policy().model_copy(update={"detectors": (own,)})
    assert redact(text_of("am Mühlweg".encode("latin-1")), rules_detector(), policy, KEY).text == "am <STREET>"


@given(st.binary(max_size=60).filter(lambda raw: raw[:2] not in (b"\xff\xfe", b"\xfe\xff")))
@settings(max_examples=100, deadline=None)
def test_bytes_come_back(raw: bytes) -> None:
    text = text_of(raw)
    assert len(legible(text)) == len(text)
    if not raw.startswith(b"\0\0\xfe\xff"):
        assert written(text) == raw
