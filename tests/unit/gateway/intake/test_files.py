from __future__ import annotations

import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.gateway.intake import Limits, admit_file
from troth.kernel.errors import Invalid, Malformed, TooLarge, TrothError, UnsupportedMedia
from unit.gateway.intake import pictures


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "a")
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "declared", "content", "media_type"),
    [
        ("notes.txt", "text/plain; charset=utf-8", "Größe\n".encode(), "text/plain"),
        ("notes.md", "text/plain", b"# Notes", "text/markdown"),
        ("rows.jsonl", "application/octet-stream", b'{"a": 1}\n\n{"a": 2}\n', "application/x-ndjson"),
        ("rows.jsonl", "application/jsonl", b'{"a": 1}', "application/x-ndjson"),
        ("one.json", "application/json", b'\xef\xbb\xbf{"a": [1, 2.5, null]}', "application/json"),
        ("big.json", "", b"1" * 9000, "application/json"),
        ("t.csv", "text/csv", b'a,"b ""c"""\r\n1,2\r\n', "text/csv"),
        ("t.tsv", "", b"a\tb\n", "text/tab-separated-values"),
        ("", "text/plain", b"hello", "text/plain"),
    ],
)
def test_text_passes_unchanged(name: str, declared: str, content: bytes, media_type: str) -> None:
    admitted = admit_file(name, declared, content)
    assert (admitted.content, admitted.media_type, admitted.removed) == (content, media_type, ())


def test_pictures_are_cleaned() -> None:
    admitted = admit_file("../me.JPG", "image/jpeg", pictures.SAMPLE.read_bytes())
    assert (admitted.name, admitted.media_type, admitted.width) == ("me.JPG", "image/jpeg", 512)
    assert "gps" in admitted.removed


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.txt", _zip(), "archive-refused"),
        ("a.txt", _tar(), "archive-refused"),
        ("a.txt", b"\x1f\x8b\x08", "archive-refused"),
        ("a.txt", b"BZh91AY&SY", "archive-refused"),
        ("a.txt", b"\x7fELF\x02", "program-refused"),
        ("a.txt", b"MZ\x90\0", "program-refused"),
        ("a.txt", b"#!/bin/sh\n", "program-refused"),
        ("a.txt", b"%PDF-1.7", "document-refused"),
        ("a.txt", b"  <svg onload='x()'>", "markup-refused"),
        ("a.json", b"\xef\xbb\xbf<!DOCTYPE html>", "markup-refused"),
        ("a.svg", b"<svg/>", "unsupported-file"),
        ("a.exe", b"hello", "unsupported-file"),
        ("a", b"hello", "unsupported-file"),
    ],
)
def test_refused_families(name: str, content: bytes, code: str) -> None:
    with pytest.raises(UnsupportedMedia) as refusal:
        admit_file(name, "", content)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.txt", b"a\0b", "not-text"),
        ("a.txt", b"\xff\xfea", "not-text"),
        ("a.txt", b"", "empty-content"),
        ("a.json", b"{", "broken-json"),
        ("a.json", b"[NaN]", "broken-json"),
        ("a.json", b"[" * 100_000, "broken-json"),
        ("a.jsonl", b'{"a": 1}\n{"a":\n', "broken-json"),
        ("a.csv", b'a,"b\n', "broken-csv"),
        ("a.csv", b'"a"b,c\n', "broken-csv"),
    ],
)
def test_broken_content(name: str, content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        admit_file(name, "", content)
    assert refusal.value.code == code


def test_line_of_the_fault_is_named() -> None:
    with pytest.raises(Invalid, match="Line 3 "):
        admit_file("a.jsonl", "", b"1\n2\nx\n")


@pytest.mark.parametrize(
    ("name", "declared", "content"),
    [
        ("a.png", "image/png", b"hello"),
        ("a.png", "text/plain", b"hello"),
        ("a.txt", "text/plain", pictures.png()),
        ("a.png", "image/png", pictures.jpeg()),
        ("a.jpg", "image/png", pictures.png()),
    ],
)
def test_name_type_and_bytes_must_agree(name: str, declared: str, content: bytes) -> None:
    with pytest.raises(Malformed) as refusal:
        admit_file(name, declared, content)
    assert refusal.value.code == "content-type-mismatch"


def test_limits() -> None:
    with pytest.raises(TooLarge):
        admit_file("a.txt", "", b"hello", Limits(max_bytes=4))
    with pytest.raises(TooLarge):
        admit_file("a.json", "", b"[1, 2, 3]", Limits(max_json_bytes=4))
    assert admit_file("a.jsonl", "", b"1\n" * 9, Limits(max_json_bytes=4)).media_type == "application/x-ndjson"


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("..\\..\\boot.txt", "boot.txt"),
        ("/etc/a.txt", "a.txt"),
        ("gpj\u202etxt.txt", "gpjtxt.txt"),
        ("a\r\nb.txt", "ab.txt"),
        ("x" * 400 + ".txt", "x" * 196 + ".txt"),
        ("...", "file"),
    ],
)
def test_file_names_are_made_safe(given_name: str, safe: str) -> None:
    assert admit_file(given_name, "text/plain", b"hello").name == safe


@given(
    name=st.sampled_from(["a.txt", "a.json", "a.jsonl", "a.csv", "a.tsv", "a.png", ""]) | st.text(max_size=20),
    declared=st.sampled_from(["", "text/plain", "application/json", "image/png", ";", "/"]),
    content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")),
)
def test_any_file_is_admitted_or_refused_by_type(name: str, declared: str, content: bytes) -> None:
    try:
        admitted = admit_file(name, declared, content)
    except TrothError as refusal:
        assert refusal.code
    else:
        assert admitted.name
