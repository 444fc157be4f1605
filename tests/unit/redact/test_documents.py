"""Files and folders of documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.kernel.errors import Malformed, NotFound, UnsupportedMedia
from troth.redact.detect import rules_detector
from troth.redact.documents import documents_of, redact_documents
from troth.redact.policy import training_policy
from troth.redact.rows import RowRedactor


def made(folder: Path, out: Path) -> dict[str, str]:
    list(redact_documents([folder], out, RowRedactor(rules_detector(), training_policy(), b"k" * 32)))
    return {path.relative_to(out).as_posix(): path.read_text() for path in out.rglob("*") if path.is_file()}


def test_tables_keep_their_shape(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tsv").write_text("\ufeffdob\ta@example.org\n1972-01-22\tx\tb@example.org\n\n")
    (tmp_path / "in" / "b.csv").write_text('"a, b","say ""hi"""\n1,2\n')
    written = made(tmp_path / "in", tmp_path / "out")
    assert written["a.tsv"] == "dob\t<EMAIL>\n<DATE>\tx\t<EMAIL>\n\n"
    assert written["b.csv"] == '"a, b","say ""hi"""\n1,2\n'


def test_names_that_become_one_get_a_number(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a@example.org.txt", "b@example.org.txt", "plain_name.txt"):
        (tmp_path / "in" / name).write_text("x")
    assert set(made(tmp_path / "in", tmp_path / "out")) == {"EMAIL.txt", "EMAIL-2.txt", "plain_name.txt"}


def test_an_address_in_a_name_of_a_file_is_one(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "maria_keller@example.org.txt").write_text("x")
    assert set(made(tmp_path / "in", tmp_path / "out")) == {"EMAIL.txt"}


@pytest.mark.parametrize("encoding", ["base64", "Quoted-Printable"])
def test_an_encoded_mail_is_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.eml").write_text(f"From: x\nContent-transfer-encoding: {encoding}\n\nSGVsbG8=\n")
    with pytest.raises(UnsupportedMedia) as refused:
        list(redact_documents([tmp_path / "a.eml"], tmp_path / "out",
                              RowRedactor(rules_detector(), training_policy(), b"k" * 32)))  # fmt: skip
    assert refused.value.code == "document-encoded"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_bad_file_leaves_no_part_of_itself(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text('a,b\n"open')
    with pytest.raises(Malformed):
        made(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in" / "a.csv").rename(tmp_path / "in" / "a.jsonl")
    with pytest.raises(Malformed, match="Line 1"):
        made(tmp_path / "in", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        documents_of([tmp_path / "none"])
    with pytest.raises(NotFound):
        documents_of([tmp_path])
    (tmp_path / "a.pdf").write_bytes(b"x")
    with pytest.raises(UnsupportedMedia):
        documents_of([tmp_path])
