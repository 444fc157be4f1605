"""Cells of tables: what a spreadsheet would calculate goes out harmless and comes back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.governance.cells import read, table, typed, written
from troth.governance.forms.fields import Field

TEXT = Field("name", "text", "Name")
CALCULATES = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "'")


@pytest.mark.parametrize("text", CALCULATES)
def test_no_cell_is_calculated(text: str) -> None:
    assert written(text) == "'" + text
    (row,) = list(csv.reader(io.StringIO(table([text], []).decode())))
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=40) | st.sampled_from(CALCULATES))
def test_a_text_comes_back_as_it_was(text: str) -> None:
    assert read(TEXT, written(text)) == text


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("number", "5", 5),
        ("number", "-5", -5),
        ("days", "30", 30),
        ("number", "five", "five"),  # refused where it is used
        ("flag", "TRUE", True),
        ("flag", "false", False),
        ("choices", "a; b;", ["a", "b"]),
        ("choices", "", []),
        ("text", "5", "5"),
        ("number", 5, 5),
        ("flag", None, None),
    ],
)
def test_cells_are_read_as_their_field_is(kind: str, cell: object, value: object) -> None:
    assert read(Field("f", kind, "F"), cell) == value


@given(st.integers(-(10**12) + 1, 10**12 - 1))
def test_numbers_are_numbers(number: int) -> None:
    assert read(Field("f", "number", "F"), written(number)) == number


def test_lists_and_flags_are_written_as_they_are_read() -> None:
    fields = {"rooms": Field("rooms", "choices", "R"), "open": Field("open", "flag", "O")}
    values = {"rooms": ["hall", "archive"], "open": False}
    assert typed(fields, {name: written(one) for name, one in values.items()}) == values
    assert typed(fields, {"unknown": "x"}) == {"unknown": "x"}
