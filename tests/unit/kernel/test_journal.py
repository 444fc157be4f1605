"""The operational log writes listed fields of a listed form, and drops every message."""

from __future__ import annotations

import ast
import io
import json
from pathlib import Path
from typing import Any

import pytest

import troth
from troth.kernel.journal import FIELDS, Journal

NEEDLE = "jane.doe@example.com"
SOURCE = Path(troth.__file__).parent


def written(stream: io.StringIO) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    return line


def test_a_fault_names_type_and_place_only() -> None:
    stream = io.StringIO()
    try:
        json.loads(NEEDLE)
    except ValueError as error:
        Journal(stream).fault(error, "object.open", "req_x")
    assert NEEDLE not in stream.getvalue()
    line = written(stream)
    assert (line["error"], line["by"]) == ("JSONDecodeError", "json")
    assert line["at"].startswith("decoder:")  # no line of ours in it, and no folder: it may be named after somebody


def test_a_fault_in_our_code_names_our_line() -> None:
    stream = io.StringIO()
    try:
        Journal(strict=True).event("x", email=NEEDLE)
    except ValueError as error:
        Journal(stream).fault(error, "object.open", "req_x")
    assert written(stream)["at"].startswith("kernel/journal.py:")


def test_the_cause_is_named_by_its_type() -> None:
    stream = io.StringIO()
    try:
        raise RuntimeError(NEEDLE) from KeyError(NEEDLE)
    except RuntimeError as error:
        Journal(stream).fault(error, "object.open", "none")
    assert written(stream)["cause"] == "KeyError"
    assert NEEDLE not in stream.getvalue()


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "x"},
        {"operation": NEEDLE},
        {"operation": "Jane Doe"},
        {"request": "+49 171 1234567"},
        {"error": "E" * 100},
        {"at": f"/home/{NEEDLE}/x.py:3"},
        {"count": "7"},
        {"port": 1 << 70},
        {"state": 5},
        {"logger": "user.4111 1111"},
        {"method": "BREW"},
        {"trace": "abc"},
    ],
)
def test_what_is_not_listed_or_has_another_form_is_left_out_and_counted(fields: dict[str, Any]) -> None:
    stream = io.StringIO()
    journal = Journal(stream)
    journal.event("probe", **fields)
    assert written(stream) == {"event": "probe", "dropped": 1}
    assert journal.dropped == 1


def test_a_strict_journal_refuses_a_mistake() -> None:
    with pytest.raises(ValueError, match="email"):
        Journal(io.StringIO(), strict=True).event("x", email=NEEDLE)


def test_an_event_name_is_a_word() -> None:
    stream = io.StringIO()
    Journal(stream).event(NEEDLE)
    assert written(stream) == {"event": "other"}


def test_a_route_is_one_of_those_there_are() -> None:
    stream = io.StringIO()
    journal = Journal(stream, strict=True)
    journal.know_routes(["/v1/objects/{object_id}"])
    journal.event("access", route="/v1/objects/{object_id}", status=200)
    journal.event("access", route="/v1/objects/jane", status=200)
    assert [json.loads(line)["route"] for line in stream.getvalue().splitlines()] == [
        "/v1/objects/{object_id}",
        "other",
    ]


def test_a_stream_that_breaks_ends_no_request() -> None:
    stream = io.StringIO()
    stream.close()
    journal = Journal(stream)
    journal.event("probe", count=1)
    assert (journal.lines, journal.lost) == (0, 1)


def test_the_trace_of_the_present_work_is_in_the_line() -> None:
    stream = io.StringIO()
    journal = Journal(stream, strict=True)
    journal.trace = lambda: "0af7651916cd43dd8448eb211c80319c"
    journal.event("probe")
    journal.trace = lambda: NEEDLE
    journal.event("probe")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("trace") for line in lines] == ["0af7651916cd43dd8448eb211c80319c", None]


def test_no_call_in_the_source_gives_a_field_that_is_not_listed() -> None:
    calls = [
        (path.name, keyword.arg)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "event"
        if "journal" in ast.unparse(node.func.value)
        for keyword in node.keywords
        if keyword.arg is not None
    ]
    assert calls
    assert [call for call in calls if call[1] not in FIELDS] == []
