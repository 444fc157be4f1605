"""`troth redact spans`: JSON Lines in, spans out, in order; a bad line stops it by number."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from troth.cli.redact import redact
from troth.kernel.errors import Malformed


def run(*arguments: str, lines: list[object] | None = None, raw: bytes = b"") -> Result:
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines or []) or raw
    return CliRunner().invoke(redact, ["spans", *arguments], input=content)


@pytest.mark.parametrize("tier", ["rules", "fast"])
def test_one_line_for_each_line_in_order(tier: str) -> None:
    texts = ["😀 mail a@example.org", "", "nothing here", "Dear Peter Johnson, hello"]
    result = run("--tier", tier, lines=[{"text": t, "id": 7} for t in texts])
    assert result.exit_code == 0, result.output
    found = [json.loads(line)["spans"] for line in result.stdout.splitlines()]
    assert [[(texts[i][s["start"] : s["end"]], s["label"]) for s in spans] for i, spans in enumerate(found)] == [
        [("a@example.org", "EMAIL")], [], [], [("Peter Johnson", "PERSON")]
    ]  # fmt: skip
    assert all(0 < s["score"] <= 1 and set(s) == {"start", "end", "label", "score"} for spans in found for s in spans)


def test_lone_surrogates_and_nul_come_through() -> None:
    result = run("--tier", "fast", raw=b'{"text": "\\ud800 a@example.org \\u0000"}\n')
    assert [s["label"] for s in json.loads(result.stdout)["spans"]] == ["EMAIL"]


@pytest.mark.parametrize(
    "line", [b"no json", b'"text"', b'{"text": 5}', b'{"other": "x"}', b"\xff\xfe", b"[" * 100_000, b'{"text": "a@exam']
)
def test_a_line_that_is_no_text_stops_it_by_number_and_never_shows_it(line: bytes) -> None:
    result = run(raw=b'{"text": "fine"}\n' + line + b"\n")
    assert isinstance(result.exception, Malformed)
    assert "Line 2" in str(result.exception)
    assert "exam" not in str(result.exception)


def test_an_unknown_tier_is_refused() -> None:
    assert run("--tier", "best", lines=[{"text": "x"}]).exit_code == 2
