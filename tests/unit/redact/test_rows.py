"""Rows: read within limits, every leaf redacted."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.kernel.errors import Malformed, TooLarge
from troth.redact.detect import rules_detector
from troth.redact.policy import training_policy
from troth.redact.rows import Limits, RowRedactor, parse_row, read_lines, sound

SECRET = "maria@example.org"


def redactor(declared: frozenset[str] = frozenset()) -> RowRedactor:
    return RowRedactor(rules_detector(), training_policy(), b"k" * 32, declared)


@pytest.mark.parametrize(
    "line",
    [
        b"[1]",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": 1} {"b": 2}',
        b"nul",
        b'{"maria@example.org": }',
        b'{"a": 1e400}',
        b'{"a": {"b": [-1e999]}}',
    ],
)
def test_malformed_names_the_line_and_no_content(line: bytes) -> None:
    with pytest.raises(Malformed, match="Line 7 ") as caught:
        parse_row(line, 7, Limits())
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_limits() -> None:
    with pytest.raises(TooLarge, match="longer"):
        parse_row(b'{"a": "xxxxxxxxxxxxxxx"}', 1, Limits(line_bytes=10))
    deep = json.dumps({"a": [[[[1]]]]}).encode()
    assert parse_row(deep, 1, Limits(depth=5))
    with pytest.raises(TooLarge, match="deeper"):
        parse_row(deep, 1, Limits(depth=4))
    with pytest.raises(TooLarge, match="deeper"):
        parse_row(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 1, Limits())


def test_lines_have_offsets_and_blank_ones_do_not_count() -> None:
    data = b'{"a":1}\n\n  \n{"b":2}\r\n{"c":3}'
    assert [offset for offset, _ in read_lines(io.BytesIO(data), Limits())] == [0, 12, 21]
    assert [line for _, line in read_lines(io.BytesIO(data), Limits(), end=12)] == [b'{"a":1}\n']


def test_every_leaf() -> None:
    row = {"a": SECRET, "b": [SECRET, {"c": {"d": f"x {SECRET}"}}], "n": None, "t": True, SECRET: 1}
    subject = redactor()
    text = json.dumps(subject.redact(row))
    assert SECRET not in text
    assert subject.counts == {"email": 3}
    assert json.loads(text)["t"] is True


def test_the_key_is_context() -> None:
    row = {"dob": "1972-01-22", "released": "1972-01-22", "phone": "449 4898", "build": "449 4898"}
    assert redactor().redact(row) == {
        "dob": "<DATE>",
        "released": "1972-01-22",
        "phone": "<PHONE>",
        "build": "449 4898",
    }


def test_numbers_under_a_telling_key_become_null() -> None:
    row = {"ssn": 536904399, "minutes": 12, "total": 19.99, "flag": False}
    assert redactor().redact(row) == {"ssn": None, "minutes": 12, "total": 19.99, "flag": False}


def test_keys_that_become_one_get_a_number() -> None:
    row = {"a@example.org": 1, "b@example.org": 2}
    assert redactor().redact(row) == {"<EMAIL>": 1, "<EMAIL>_2": 2}
    assert [name for name, _ in redactor().names(row)] == ["<EMAIL>", "<EMAIL>_2"]
    assert redactor(frozenset(row)).redact(row) == row


def test_lone_surrogates_become_writable() -> None:
    row = parse_row(b'{"a": "x\\ud800y"}', 1, Limits())
    assert redactor().redact(row)["a"].encode()
    assert sound("plain") == "plain"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), _JSON, max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_object_keeps_its_shape(row: dict[str, object]) -> None:
    result = redactor().redact(parse_row(json.dumps(row).encode(), 1, Limits()))
    assert len(result) == len(row)
    json.dumps(result, ensure_ascii=False).encode()


def test_thousands_of_keys_that_become_one() -> None:
    """As many steps as keys: counting each name up from two would take 200 million."""
    row = {f"m{n}@example.org": n for n in range(20_000)}
    made = list(RowRedactor(rules_detector(), training_policy(), b"k" * 32).redact(row))
    assert (made[0], made[1], made[-1], len(set(made))) == ("<EMAIL>", "<EMAIL>_2", "<EMAIL>_20000", 20_000)
