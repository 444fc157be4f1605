"""`troth paper`, as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from troth.cli.paper import paper
from troth.kernel.errors import Invalid, NotFound
from troth.promises.paper.shipped import shipped_file


def run(*arguments: str) -> Result:
    return CliRunner().invoke(paper, arguments)


@pytest.fixture
def dzine(tmp_path: Path) -> Path:
    """The second paper, on this machine."""
    for name in ("dzine.txt", "dzine.paper.yaml"):
        (tmp_path / name).write_bytes(shipped_file(name))
    return tmp_path / "dzine.txt"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_lint_names_the_sentence_and_what_to_do(dzine: Path) -> None:
    change(dzine, "TLS 1.2+", "TLS 1.4")
    result = run("lint", str(dzine), "--no-notes")
    assert result.exit_code == 1
    for words in ('line 21 sentence 2  "AES-256', "changed", "contradicted", "-> Claim what is kept", "hash"):
        assert words in result.stdout
    assert "weaker" not in result.stdout


def test_lint_for_programs(dzine: Path) -> None:
    result = run("lint", str(dzine), "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["paper"], told["sentences"]) == (1, "dzine", 58)
    address = next(one for one in told["findings"] if one["code"] == "contact-domain")
    assert (address["line"], address["sentence"], address["severity"]) == (57, 0, "error")
    assert address["quote"] == "Email: contact@dzine-ai-connect.com"


def test_a_paper_without_faults_passes(tmp_path: Path) -> None:
    (tmp_path / "small.md").write_text("# Small\n\nAll connections use TLS 1.3.\n")
    assert run("bind", str(tmp_path / "small.md")).exit_code == 0
    binding = tmp_path / "small.paper.yaml"
    assert run("lint", str(binding)).exit_code == 1
    rows = binding.read_text().replace("carries: []}", "carries: [], because: heading}", 1)
    binding.write_text(rows.replace("carries: []}", "carries: [CRY-01]}", 1))
    result = run("lint", str(binding))
    assert (result.exit_code, result.stdout) == (0, "small 1: 2 sentences, 0 findings, 0 notes\n")


def test_states_of_now(dzine: Path, tmp_path: Path) -> None:
    states = tmp_path / "states.json"
    states.write_text(json.dumps({"data": [{"id": "CRY-01", "state": "not kept"}]}))
    assert "not-kept" in run("lint", str(dzine), "--states", str(states)).stdout
    assert "CRY-01 not kept" in run("show", str(dzine), "--states", str(states), "--promise", "CRY-01").stdout
    states.write_text("[" * 100_000)
    assert isinstance(run("lint", str(dzine), "--states", str(states)).exception, Invalid)


def test_show(dzine: Path) -> None:
    result = run("show", str(dzine), "--promise", "MON-10")
    assert result.exit_code == 0
    assert "45.0  Dzine.ai maintains a 24/7 Security Operations Center" in result.stdout
    assert "MON-10 INC-01" in result.stdout
    rows = json.loads(run("show", "zian", "--json").stdout)["sentences"]
    assert (len(rows), rows[0]["because"], rows[2]["carries"][0]) == (75, "heading", "TRN-01")


def test_diff_says_what_was_weakened(dzine: Path) -> None:
    assert run("diff", "dzine", str(dzine), "--gate").stdout == "No promise changes.\n"
    change(dzine, "without consent.", "where possible.")
    run("bind", str(dzine))
    change(dzine.with_name("dzine.paper.yaml"), "carries: []}", "carries: [CLS-06]}")
    result = run("diff", "dzine", str(dzine), "--gate")
    assert result.exit_code == 1
    assert 'weakened  CLS-06  It now says "where possible".' in result.stdout
    assert "dropped  CLS-05" in result.stdout
    assert "+ User-generated data is processed transiently" in result.stdout
    told = json.loads(run("diff", "dzine", str(dzine), "--json").stdout)
    assert {one["kind"] for one in told} == {"weakened", "dropped"}


def test_bind_says_what_is_left_to_do(dzine: Path) -> None:
    change(dzine, "mandatory", "yearly")
    result = run("bind", str(dzine))
    assert "dzine.paper.yaml: 58 sentences, 1 changed, 1 to be bound by you" in result.stdout
    assert "next: name their promises in it, then troth paper lint" in result.stdout


def test_a_text_that_is_not_there(tmp_path: Path) -> None:
    assert isinstance(run("lint", str(tmp_path / "no.txt")).exception, NotFound)
    assert isinstance(run("bind", str(tmp_path / "no.txt")).exception, NotFound)
