"""What the head of a table says of its cells, in CSV, TSV and Markdown; prose with commas is no table."""

from __future__ import annotations

import time

import pytest

from troth.redact.detect import rules_detector
from troth.redact.detect.table import cells_of

CSV = """\
id,login,password,ssn,full_name,notes
17,jdoe,Secr3t!x,219-09-9999,John Doe,likes tea
18,mkowal,hunter22,536-22-1180,"Kowalska, Maria","two, cells"
"""


def kinds(text: str) -> dict[str, str]:
    return {text[s.start : s.end]: s.kind for s in rules_detector().detect(text)}


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_cells_are_found_by_the_name_of_their_column(sign: str) -> None:
    text = CSV.replace("Kowalska, Maria", "Maria Kowalska").replace("two, cells", "none").replace(",", sign)
    found = kinds(text)
    assert {found[value] for value in ("jdoe", "mkowal")} == {"username"}
    assert {found[value] for value in ("Secr3t!x", "hunter22")} == {"password"}
    assert {found[value] for value in ("219-09-9999", "536-22-1180")} == {"us_ssn"}
    assert found["John Doe"] == found["Maria Kowalska"] == "person"
    assert "likes tea" not in found


def test_markdown_and_windows_lines() -> None:
    text = "| User | PIN | patientId |\r\n|------|-----|---|\r\n| olaf | 4821 | 00482913 |\r\n"
    assert kinds(text) == {"olaf": "username", "4821": "password", "00482913": "medical_record"}


def test_places_are_those_of_the_text_also_in_quoted_cells() -> None:
    cells = cells_of(CSV)
    assert cells is not None
    for name in ("jdoe", "Kowalska, Maria", "536-22-1180"):
        at = cells.text.index(name)
        back = cells.back(at, at + len(name))
        assert back is not None
        assert CSV[slice(*back)] == name


@pytest.mark.parametrize(
    "text",
    [
        "I came, I saw, I left\nand then, of course, came back\n",
        "name, of the rose\none, two, three\n",  # rows of another width
        "a,b,c\n1,2,3\n",
        "login",
        "",
    ],
)
def test_prose_and_columns_that_tell_nothing(text: str) -> None:
    assert cells_of(text) is None


def test_a_row_of_another_width_ends_the_table() -> None:
    text = "login,city\njdoe,Leeds\nDear all, hello, you\nsmith,York\n"
    cells = cells_of(text)
    assert cells is not None
    assert "jdoe" in cells.text
    assert "smith" not in cells.text


def test_time_grows_with_the_length() -> None:
    def seconds(times: int) -> float:
        hostile = "name," * times + "\n" + '"' * times + "\n" + ("login,pin\n" + "a,1\n") * (times // 10)
        begun = time.process_time()
        cells_of(hostile)
        return time.process_time() - begun

    assert seconds(80_000) < 16 * max(seconds(20_000), 0.01)
