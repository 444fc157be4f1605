"""`troth redact`, as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from troth.cli.redact import redact
from troth.kernel.errors import IntegrityError, Invalid, Malformed, TrothError
from troth.redact.samples.generate import rows


def run(*arguments: str, text: str | bytes = "") -> Result:
    return CliRunner().invoke(redact, arguments, input=text)


def ok(*arguments: str, text: str | bytes = "") -> str:
    result = run(*arguments, text=text)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(60)))
    return path


def test_text() -> None:
    assert ok("text", text="mail a@example.org 😀\n") == "mail <EMAIL> 😀\n"


def test_text_with_the_model_tier_finds_places_and_unlisted_names() -> None:
    source = "Dear Ms Okonkwo, greetings from Manchester."
    found = json.loads(ok("text", "--tier", "fast", "--policy", "training", "--json", text=source))
    assert {"person", "place"} <= set(found["counts"])
    assert "Okonkwo" not in found["text"]
    assert "Manchester" not in found["text"]


def test_a_data_set_with_the_model_tier_names_it_and_masks_places(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(
        "".join(json.dumps({"n": i, "note": f"Ms Okonkwo moved to Manchester, ticket {i}."}) + "\n" for i in range(8))
    )
    predicate = json.loads(
        ok("dataset", str(source), str(tmp_path / "out"), "--source", "test", "--licence", "CC0-1.0", "--tier", "fast",
           "--no-consent-needed", "invented people", "--format", "jsonl", "--workers", "1", "--json")
    )  # fmt: skip
    assert predicate["detectors"][0].startswith("fast-")
    written = "".join(path.read_text() for path in (tmp_path / "out").glob("shard-*"))
    assert "ticket" in written
    assert "Manchester" not in written


def test_text_that_is_not_utf8_comes_through() -> None:
    assert run("text", text=b"\xff mail a@example.org").stdout_bytes == b"\xff mail <EMAIL>"


def test_text_json_has_no_value() -> None:
    answer = json.loads(ok("text", "--json", text="mail a@example.org"))
    assert answer["counts"] == {"email": 1}
    assert "a@example.org" not in json.dumps(answer)


def test_a_key_file_makes_pseudonyms_repeat(tmp_path: Path) -> None:
    key = str(tmp_path / "k")
    first, second = (ok("text", "--key", key, text="Mrs Maria Keller") for _ in range(2))
    assert first == second != ok("text", text="Mrs Maria Keller")
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600


def test_spans() -> None:
    out = ok("text", "--spans", text='{"text": "😀 a@example.org"}\n\n{"text": "none"}\n')
    assert [json.loads(line) for line in out.splitlines()] == [
        {"spans": [{"start": 2, "end": 15, "label": "EMAIL", "kind": "email"}]},
        {"spans": []},
    ]
    result = run("text", "--spans", text='{"text": "x"}\n{"tex": "a@example.org"}\n')
    assert isinstance(result.exception, Malformed)
    assert "Line 2 " in str(result.exception)


def test_dataset_and_check(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    base = ["dataset", str(source), str(out), "--source", "test", "--licence", "CC0-1.0"]
    text = ok(*base, "--consent-flag", "consent", "--subject-field", "subject", "--workers", "1")
    assert "Canaries planted / left               300 / 0" in text
    key = str(tmp_path / "out.public-key")
    assert "files hold" in ok("check", str(out), "--public-key", key)
    (out / "report.html").write_text("x")
    assert isinstance(run("check", str(out), "--public-key", key).exception, IntegrityError)


def test_dataset_with_a_register(source: Path, tmp_path: Path) -> None:
    register = tmp_path / "consent.jsonl"
    register.write_text('{"subject": "s-000001", "consent": "c", "granted": true}\n')
    base = [
        "dataset",
        str(source),
        str(tmp_path / "out"),
        "--source",
        "test",
        "--licence",
        "CC0-1.0",
        "--format",
        "jsonl",
    ]
    answer = json.loads(ok(*base, "--json", "--consent", str(register), "--subject-field", "subject", "--workers", "1"))
    assert 0 < answer["rows"]["kept"] < 20


@pytest.mark.parametrize(
    "options", [[], ["--consent-flag", "a", "--no-consent-needed", "Public-domain text."], ["--consent", "FILE"]]
)
def test_consent_is_said_once(source: Path, tmp_path: Path, options: list[str]) -> None:
    base = ["dataset", str(source), str(tmp_path / "out"), "--source", "test", "--licence", "CC0-1.0"]
    result = run(*base, *[str(source) if o == "FILE" else o for o in options])
    assert isinstance(result.exception, Invalid)


@pytest.mark.parametrize(("flag", "code"), [("consnet", "nobody-consented"), ("consent", "empty-data-set")])
def test_a_refused_run_leaves_no_key_files(source: Path, tmp_path: Path, flag: str, code: str) -> None:
    if code == "empty-data-set":
        source.write_text("\n")
    old = tmp_path / "old.pem"
    ok("text", "--key", str(tmp_path / "old.key"), text="x")
    base = ["dataset", str(source), str(tmp_path / "out"), "--source", "test", "--licence", "CC0-1.0", "--workers", "1"]
    result = run(*base, "--consent-flag", flag, "--key", str(tmp_path / "old.key"), "--signing-key", str(old))
    assert isinstance(result.exception, TrothError)
    assert result.exception.code == code
    assert not old.exists()
    assert run(*base, "--consent-flag", flag).exception
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "old.key"}


def test_lint(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("name: p\nversion: 1\ndecisions:\n  email: label\n")
    result = run("lint", str(path), "--json")
    assert result.exit_code == 1
    findings = json.loads(result.stdout)
    assert any("category phone;" in f for f in findings)
    assert not any("category email;" in f for f in findings)


def test_a_wrong_key_file(source: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nonsense")
    base = [
        "dataset",
        str(source),
        str(tmp_path / "out"),
        "--source",
        "test",
        "--licence",
        "x",
        "--consent-flag",
        "consent",
    ]
    assert isinstance(run(*base, "--signing-key", str(tmp_path / "bad.pem")).exception, Invalid)
    assert isinstance(run("check", str(tmp_path), "--public-key", str(tmp_path / "bad.pem")).exception, Invalid)
