"""Every enforced promise names the test in which the software refuses what would break it, or why there is none yet."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from architecture.source_tree import ROOT
from troth.promises.catalogue import catalogue

DATA = ROOT / "tests" / "promises" / "refusals.yaml"
ROWS: dict[str, dict[str, Any]] = yaml.safe_load(DATA.read_text())
OPEN = 13  # what has no refusal yet; it only ever becomes fewer


def test_every_enforced_promise_stands_once() -> None:
    enforced = {one.id for one in catalogue().values() if one.kind == "enforced"}
    assert set(ROWS) == enforced
    assert len(re.findall(r"^[A-Z]{3}-\d\d: ", DATA.read_text(), re.M)) == len(ROWS)  # YAML would forget a first of two
    assert sum("open" in row for row in ROWS.values()) <= OPEN


@pytest.mark.parametrize("promise", ROWS)
def test_a_row_names_tests_that_exist_or_says_what_is_missing(promise: str) -> None:
    row = ROWS[promise]
    assert row.keys() in ({"by"}, {"open"})
    assert row.get("open", "").endswith(".") or row["by"]
    for place in row.get("by", ()):
        file, _, name = place.partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.M), place
