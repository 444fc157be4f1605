"""Answers on a terminal: tables fold, times are UTC, nothing is lost and nothing controls the terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from troth.cli.showing import readable, show

ID = "obj_0123456789abcdefghijklmnop"


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def shown(value: Any, capsys: pytest.CaptureFixture[str]) -> str:
    show(value)
    return capsys.readouterr().out


def entry(**more: Any) -> dict[str, Any]:
    told = {"index": 7, "time": 1_700_000_000_000, "operation": "object.delete", "phase": "end", "outcome": "done"}
    return {**told, "actor": f"usr_{ID}", "request": f"req_{ID}", "code": None, "facts": {"object": ID}, **more}


def test_nothing_of_a_row_is_cut_at_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown({"objects": [{"id": ID, "kind": "output", "name": "n" * 60, "size": 3}], "after": None}, capsys)
    assert max(map(len, text.splitlines())) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert text.count("n") >= 60


def test_a_row_too_wide_for_the_screen_becomes_lines(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown({"entries": [entry(), entry(index=6)], "next": 6}, capsys)
    assert f"request    req_{ID}\n" in text
    assert text.count("2023-11-14T22:13:20Z") == 2
    assert text.endswith("more: --before 6\n")
    assert "code" not in text


@pytest.mark.parametrize(
    ("page", "hint"),
    [
        ({"objects": [{"id": "obj_1"}], "after": "obj_1"}, "more: --after obj_1"),
        ({"object": "list", "data": [{"id": "f_1"}], "has_more": True, "last_id": "f_1"}, "more: --after f_1"),
        ({"sessions": [{"id": "s_1"}], "current": "s_1"}, "current: s_1"),
    ],
)
def test_a_page_says_how_to_go_on(page: dict[str, Any], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(page, capsys).endswith(f"{hint}\n")


def test_an_empty_page_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown({"keys": []}, capsys) == "nothing here\n"


def test_one_thing_is_aligned_lines(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown({"id": "x", "totp": True, "roles": ["owner"], "tenant": None, "privacy": {"a": 1}}, capsys)
    assert text.splitlines() == [
        "id       x",
        "totp     yes",
        'roles    ["owner"]',
        "tenant   -",
        'privacy  {"a": 1}',
    ]


def test_parts_of_a_thing_follow_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    review = {"id": "rev_1", "state": "open", "first": 0, "opened_at": 1_700_000_000_000, "verdicts": {"open": 2}}
    drawn = [{"index": 7, "operation": "user.create", "reason": None}, {"index": 9, "operation": "role.assign"}]
    text = shown({"review": review, "drawn": drawn, "weights": dict.fromkeys(map(str, range(50)), 1)}, capsys)
    assert [" ".join(line.split()) for line in text.splitlines() if line.strip(" ─")] == [
        "weights 50 members; --json prints them",
        "review",
        "id rev_1",
        "state open",
        "first 0",
        "opened_at 2023-11-14T22:13:20Z",
        'verdicts {"open": 2}',
        "drawn",
        "index operation",
        "7 user.create",
        "9 role.assign",
    ]


def test_a_column_of_noughts_says_something_and_an_empty_one_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown({"gaps": [{"first": 0, "overdue": False, "note": None, "days": []}]}, capsys)
    assert text.split()[:2] == ["first", "overdue"]
    assert text.split()[-2:] == ["0", "no"]


def test_parts_of_parts_bear_the_whole_name(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown({"targets": {"sign-in": [{"looks": 3}]}, "gaps": [], "waiting": None, "pace": 60}, capsys)
    assert "\ntargets.sign-in\n" in text
    assert "\ntargets\n" not in text
    assert text.splitlines()[:3] == ["gaps     []", "waiting  -", "pace     60"]


def test_a_document_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    proof = {"index": 1, "leaf": "{}", "proof": "one\ntwo\n"}
    assert json.loads(shown(proof, capsys)) == proof


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("created_at", 1_700_000_000, "2023-11-14T22:13:20Z"),
        ("expires", 1_700_000_000_000, "2023-11-14T22:13:20Z"),
        ("sent_ms", 12, "12"),
        ("size", 1_700_000_000_000, "1700000000000"),
        ("expires_at", 10**30, str(10**30)),
        ("done", False, "no"),
        ("name", "[red]a\x1b[2Jb\u202e", "[red]a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_values_are_readable(name: str, value: Any, text: str) -> None:
    assert readable(name, value) == text


def test_markup_in_a_cell_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert "[red]x[/]" in shown({"keys": [{"name": "[red]x[/]"}]}, capsys)
