"""The record of processing: every column of the law is filled, in three forms that say the same."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from troth.governance.data_map.map import Supplier
from troth.governance.data_map.reading import shipped
from troth.governance.statement.article30 import (
    COLUMNS,
    REQUIRED,
    as_csv,
    as_html,
    as_json,
    described,
    rows,
    unfilled,
)

FULL = replace(shipped(), suppliers=(Supplier("acme", "=Acme<b>", ("m",), ("eu",), "zero"),))


def test_every_required_cell_is_filled_and_an_empty_one_is_named() -> None:
    assert unfilled(FULL) == []
    empty = replace(FULL.activities[0], safeguards=())
    assert unfilled(replace(FULL, activities=(empty,))) == ["accounts.safeguards"]


def test_every_table_store_and_vendor_stands_in_it() -> None:
    found = rows(FULL)
    assert {name for row in found for name in row["tables"]} == set(FULL.tables)
    assert {name for row in found for name in row["stores"]} == {FULL.stores[one].title for one in FULL.personal_stores}
    assert any("=Acme<b> (eu)" in row["suppliers"] for row in found)


def test_three_forms_say_the_same() -> None:
    told = json.loads(as_json(FULL))
    assert [row["id"] for row in told["rows"]] == [one.id for one in FULL.activities]
    read = list(csv.DictReader(io.StringIO(as_csv(FULL))))
    assert tuple(read[0]) == COLUMNS
    assert [row["id"] for row in read] == [row["id"] for row in told["rows"]]
    assert all(row[name] for row in read for name in REQUIRED)
    html = as_html(FULL)
    assert html.count("<table>") == len(read)
    assert "<b>" not in html
    assert "<script" not in html


def test_a_cell_that_a_spreadsheet_would_run_does_not_begin_so() -> None:
    read = list(csv.DictReader(io.StringIO(as_csv(FULL))))
    assert next(row["suppliers"] for row in read if row["suppliers"]) == "'=Acme<b> (eu)"


def test_the_description_of_an_assessment_has_each_activity() -> None:
    text = described(FULL)
    assert all(f"## {one.title}" in text for one in FULL.activities)
    assert "**purpose**: to answer what you ask" in text
