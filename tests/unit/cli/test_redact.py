"""`troth redact`, as a person and as a program use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from troth.cli.redact import redact
from troth.kernel.errors import IntegrityError, Invalid, Malformed, TrothError, UnsupportedMedia
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


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoded_mail_is_refused_from_standard_input_too(encoding: str, end: str) -> None:
    mail = end.join(("From: x", f"Content-Transfer-Encoding: {encoding}", "", "TWFyaWEgS2VsbGVy"))
    refused = run("text", text=mail)
    assert isinstance(refused.exception, UnsupportedMedia)
    assert refused.exception.code == "document-encoded"
    assert refused.stdout == ""


def test_text_that_is_not_utf8_comes_through() -> None:
    assert run("text", text=b"\xff mail a@example.org").stdout_bytes == b"\xff mail <EMAIL>"


@pytest.mark.parametrize("tier", ["rules", "fast"])
def test_any_bytes_are_a_text(tier: str) -> None:
    """Half a character, NUL, a surrogate, marks without a letter, and 2 MB without a line end or a blank."""
    for noise in (b"\xe2\x82", b"\x00" * 9, b"\xed\xa0\x80", b"\xb1\xb7", b"\xcc\x81" * 99):
        answer = run("text", "--tier", tier, text=noise + b" a@example.org " + noise)
        assert answer.stdout_bytes == noise + b" <EMAIL> " + noise
    long = b"." * ((2 << 20) if tier == "rules" else 100_000)
    assert run("text", "--tier", tier, text=long + b" a@example.org " + long).stdout_bytes == long + b" <EMAIL> " + long


@pytest.mark.parametrize(
    "line",
    [
        b'{"text":' * 50_000,
        b"[" * 100_000,
        b'{"text": {"text": "x"}}',
        b'{"text": 1e999}',
        b"\xff\xfe{\x00",
        b"9" * 5_000,
    ],
)
def test_a_line_without_a_text_is_refused_by_number(line: bytes) -> None:
    result = run("text", "--spans", text=b'{"text": "fine"}\n' + line)
    assert isinstance(result.exception, Malformed)
    assert "Line 2" in str(result.exception)
    assert result.stdout.count("\n") == 1


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
    assert "Canaries planted / left            300 / 0" in text
    assert "at most 1.00 % of values as they were planted are left, with 95 % confidence" in text
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
    result = run("policy", "lint", str(path), "--json")
    assert result.exit_code == 1
    findings = json.loads(result.stdout)
    assert {"code": "missing", "where": "decisions.phone"}.items() <= findings[2].items()
    assert not any("category email;" in f["says"] for f in findings)
    assert "category phone;" in run("policy", "lint", str(path)).stdout


@pytest.mark.parametrize("name", ["training", "vendor"])
def test_the_shipped_policies_pass_and_show(name: str) -> None:
    assert "decides on every category" in ok("policy", "lint", name)
    assert json.loads(ok("policy", "lint", name, "--json")) == []
    assert "Telephone and fax numbers" in ok("policy", "show", name)
    assert ok("policy", "show", name, "--yaml").startswith("# What")


def test_a_detector_that_cannot_be_loaded_is_a_finding(tmp_path: Path) -> None:
    own = "detectors: [{name: badge, entry_point: nowhere, decision: label}]\n" + ok("policy", "show", "--yaml")
    (tmp_path / "p.yaml").write_text(own)
    result = run("policy", "lint", str(tmp_path / "p.yaml"), "--json")
    assert (result.exit_code, json.loads(result.stdout)[0]["where"]) == (1, "detectors.badge")
    assert isinstance(run("text", "--policy", str(tmp_path / "p.yaml"), text="x").exception, TrothError)


def test_folders_of_documents(tmp_path: Path) -> None:
    given, out = tmp_path / "in", tmp_path / "out"
    (given / "sub").mkdir(parents=True)
    (given / "Mr_Peter_Johnson.txt").write_bytes(b"mail a@example.org \xff")
    (given / "sub" / "a.jsonl").write_text('{"email": "b@example.org", "n": 3}\n')
    (given / "sub" / "b.csv").write_text('name,email,note\n"Keller, Maria",c@example.org,"fine\nand well"\n')
    answer = json.loads(ok("text", str(given), "--out", str(out), "--json"))
    assert answer["counts"]["email"] == 3
    written = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert "Johnson" not in str(sorted(written))
    assert written["sub/a.jsonl"] == b'{"email": "<EMAIL>", "n": 3}\n'
    assert b'<EMAIL>,"fine\nand well"' in written["sub/b.csv"]
    assert b"Keller" not in written["sub/b.csv"]
    assert b"mail <EMAIL> \xff" in written.values()
    assert run("text", str(given), "--out", str(out)).exception.code == "output-exists"  # type: ignore[union-attr]


def test_a_folder_with_something_unknown_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a@example.org")
    (tmp_path / "in" / "b.exe").write_bytes(b"x")
    result = run("text", str(tmp_path / "in"), "--out", str(tmp_path / "out"))
    assert result.exception.code == "file-type-unknown"  # type: ignore[union-attr]
    assert not (tmp_path / "out").exists()
    assert run("text", str(tmp_path / "in")).exit_code == 2


def test_lineage_of_a_model(source: Path, tmp_path: Path) -> None:
    out, key = tmp_path / "out", str(tmp_path / "out.public-key")
    base = ["dataset", str(source), str(out), "--source", "test", "--licence", "CC0-1.0", "--workers", "1", "--json"]
    root = json.loads(ok(*base, "--consent-flag", "consent", "--subject-field", "subject"))["root"]
    (tmp_path / "w.bin").write_bytes(b"weights")
    wish = ["register", "echo-1", "--file", str(tmp_path / "w.bin"), "--dataset", str(out), "--public-key", key]
    wish += ["--signing-key", str(tmp_path / "out.signing-key.pem"), "--out", str(tmp_path / "l.json")]
    assert run(*wish, "--read", "0" * 64).exception.code == "lineage-unknown-digest"  # type: ignore[union-attr]
    assert not (tmp_path / "l.json").exists()
    ok(*wish, "--read", root)
    check = ["lineage", str(tmp_path / "l.json"), "--public-key", key]
    assert root in ok(*check, "--dataset", str(out))
    (tmp_path / "w.bin").write_bytes(b"changed")
    assert isinstance(run(*check, "--file", str(tmp_path / "w.bin")).exception, IntegrityError)


def test_a_labelled_sample_is_measured(source: Path, tmp_path: Path) -> None:
    sample = {"text": "ask quentin", "spans": [{"start": 4, "end": 11, "label": "PERSON"}]}
    (tmp_path / "s.jsonl").write_text(json.dumps(sample) + "\n")
    base = ["dataset", str(source), str(tmp_path / "out"), "--source", "test", "--licence", "CC0-1.0", "--workers", "1"]
    result = run(*base, "--consent-flag", "consent", "--labelled", str(tmp_path / "s.jsonl"))
    assert result.exception.code == "leak-bound"  # type: ignore[union-attr]


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
