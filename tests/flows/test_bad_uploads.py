"""Bad uploads: broken and hostile pictures, files of other kinds, forms that are none. Nothing of them is kept."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from house import House, Person, house
from refusals import EDITS, FILES, NEVER_SEEN, Bad, assert_refused, form, part
from troth.cli.demo.protect import photo


@pytest.fixture(scope="module")
def owner(home: House) -> Person:
    return home.tenant("iota")


@pytest.fixture(scope="module")
def key(home: House, owner: Person) -> dict[str, str]:
    return home.key_headers(owner, "generate", "own-data", "own-data:write")


def edit(name: str, content: bytes, code: str, status: int, media_type: str = "image/png", **fields: str) -> Bad:
    files = {"image": ("a.png", content, media_type)}
    return Bad(name, code, status, EDITS, sent={"files": files, "data": {"prompt": "blue", **fields}})


def upload(
    name: str,
    filename: str,
    content: bytes,
    code: str,
    status: int,
    media_type: str = "text/plain",
    purpose: str = "user_data",
) -> Bad:
    files = {"file": (filename, content, media_type)}
    return Bad(name, code, status, FILES, sent={"files": files, "data": {"purpose": purpose}})


def multipart(name: str, content: bytes, code: str, status: int, kind: str = "", path: str = FILES) -> Bad:
    media_type = kind or "multipart/form-data; boundary=x"
    return Bad(name, code, status, path, headers={"content-type": media_type}, sent={"content": content})


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG that claims a size and holds these (uncompressed) rows."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def whole_png() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 80).save(out, "PNG")
    return out.getvalue()


PNG = whole_png()
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
BATCH = b'{"custom_id": "a", "method": "POST", "url": "/v1/erasures/own", "body": {}}\n'
OK_FIELDS = (part("purpose", b"user_data"), part("file", b"text", "a.txt"))

CASES = [
    # pictures
    edit("no picture", b"GIF89a;", "content-type-mismatch", 400),
    edit("broken picture", PNG[:40] + b"\0" * 200, "broken-image", 422),
    edit("truncated picture", PNG[: len(PNG) // 2], "broken-image", 422),
    edit("truncated photograph", photo()[:20_000], "broken-image", 422, "image/jpeg"),
    edit("picture with a wrong checksum", PNG[:-5] + b"\0" + PNG[-4:], "broken-image", 422),
    edit("fewer rows than it says", png(64, 64, b"\0" * 100), "broken-image", 422),
    edit("bomb of 900 megapixels", png(30_000, 30_000, b"\0" * (30_001 * 40)), "too-many-pixels", 413),
    edit("bomb that is complete", png(30_000, 30_000, bytes(30_001) * 2_000), "too-many-pixels", 413),
    edit("size near the end of 32 bits", png(0x7FFFFFFF, 0x7FFFFFFF, b"\0"), "too-many-pixels", 413),
    edit("size of nothing", png(0, 0, b"\0"), "broken-image", 422),
    edit("PNG declared as JPEG", PNG, "content-type-mismatch", 400, "image/jpeg"),
    edit("JPEG declared as PNG", photo(), "content-type-mismatch", 400),
    edit("SVG", b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "unsupported-image", 415, "image/svg+xml"),
    edit("page declared as a picture", b"<html><script>x()</script>", "content-type-mismatch", 400),
    edit("empty picture", b"", "empty-content", 422),
    edit("unknown model for an edit", PNG, "model-not-found", 404, model="gpt-nowhere"),
    edit("unknown field of a form", PNG, "unknown-field", 422, wizard="1"),
    # files
    upload("archive as text", "a.txt", b"PK\x03\x04" + b"\0" * 50, "archive-refused", 415),
    upload("program as text", "a.txt", b"\x7fELF\x02", "program-refused", 415),
    upload("document as text", "a.txt", b"%PDF-1.7", "document-refused", 415),
    upload("page as text", "a.txt", b"<!DOCTYPE html><script>", "markup-refused", 415),
    upload("picture as text", "a.txt", PNG, "content-type-mismatch", 400),
    upload("text as picture", "a.png", b"text", "content-type-mismatch", 400),
    upload("test file of virus scanners", "a.txt", EICAR, "malware-found", 422),
    upload("program within a text", "a.txt", b"notes\n" + b"$p=[Convert]::FromBase64String('TVqQAAMAAAAEAAAA//8A')",
           "malware-found", 422),
    upload("postscript as text", "a.txt", b"%!PS-Adobe-3.0\n", "document-refused", 415),
    upload("link of Windows as text", "a.txt", b"[InternetShortcut]\nURL=x\n", "program-refused", 415),
    upload("text for vision", "a.txt", b"text", "wrong-for-purpose", 415, purpose="vision"),
    upload("batch that reaches elsewhere", "a.jsonl", BATCH, "broken-line", 422, purpose="batch"),
    upload("batch of twice the same", "a.jsonl", BATCH.replace(b"/v1/erasures/own", b"/v1/embeddings") * 2,
           "broken-line", 422, purpose="batch"),
    edit("archive in a picture", PNG + b"PK\x03\x04\x14\0" + bytes(40) + b"PK\x05\x06" + bytes(18),
         "malware-found", 422),
    edit("page in a picture", PNG + b"<script>x()</script>", "malware-found", 422),
    upload("double suffix", "a.png.exe", PNG, "unsupported-file", 415, "application/octet-stream"),
    upload("NUL in text", "a.txt", b"a\0b", "not-text", 422),
    upload("text that is not UTF-8", "a.txt", b"\xff\xfe\xfa", "not-text", 422),
    upload("JSON file with NaN", "a.json", b"[NaN]", "broken-json", 422, "application/json"),
    upload("JSON file too deep", "a.json", b"[" * 5000, "broken-json", 422, "application/json"),
    upload("broken line", "a.jsonl", b'{"a":1}\n{"a"', "broken-json", 422, "application/x-ndjson"),
    upload("broken table", "a.csv", b'a,"b\n', "broken-csv", 422, "text/csv"),
    upload("file name too long", "n" * 2000 + ".txt", b"text", "bad-field", 422),
    upload("media type too long", "a.txt", b"text", "bad-field", 422, "text/" + "x" * 300),
    # forms
    multipart("thousand parts", form(*[part(f"f{n}", b"v") for n in range(1000)]), "broken-multipart", 400),
    multipart("thousand files", form(*[part(f"f{n}", b"v", "a") for n in range(1000)]), "broken-multipart", 400),
    multipart("wrong boundary", form(*OK_FIELDS, boundary=b"other"), "broken-multipart", 400),
    multipart("no boundary", form(*OK_FIELDS), "broken-multipart", 400, "multipart/form-data"),
    multipart("boundary too long", form(*OK_FIELDS), "broken-multipart", 400,
              "multipart/form-data; boundary=" + "x" * 5000),
    multipart("part without a name", form(b"Content-Disposition: form-data\r\n\r\nv"), "broken-multipart", 400),
    multipart("part without headers", form(b"\r\nv"), "broken-multipart", 400),
    multipart("field sent twice", form(*OK_FIELDS, part("purpose", b"evals")), "broken-multipart", 400),
    multipart("file sent twice", form(*OK_FIELDS, part("file", b"other", "b.txt")), "broken-multipart", 400),
    multipart("text and object of one name", form(part("purpose", b"a"), part("purpose[x]", b"b")),
              "broken-multipart", 400),
    multipart("object and text of one name", form(part("purpose[x]", b"b"), part("purpose", b"a")),
              "broken-multipart", 400),
    multipart("text and list of one name", form(part("prompt", b"a"), part("prompt[]", b"b")),
              "broken-multipart", 400, path=EDITS),
    multipart("object and list of one name", form(part("prompt[x]", b"a"), part("prompt[]", b"b")),
              "broken-multipart", 400, path=EDITS),
    multipart("file where text belongs", form(part("purpose", b"a", "p"), OK_FIELDS[1]), "bad-field", 422),
    multipart("text where a file belongs", form(OK_FIELDS[0], part("file", b"text")), "bad-field", 422),
    multipart("a codec of quadratic time", form(*OK_FIELDS), "wrong-content-type", 415,
              "multipart/form-data; boundary=x; charset=punycode"),
    multipart("a codec that makes surrogates", form(*OK_FIELDS), "wrong-content-type", 415,
              "multipart/form-data; boundary=x; charset=utf-7"),
    multipart("file too large", form(OK_FIELDS[0], part("file", b"x" * (26 << 20), "a.txt")), "content-too-large", 413),
    multipart("life too short", form(*OK_FIELDS, part("expires_after[seconds]", b"1")), "bad-field", 422),
    Bad("page in a picture to be verified", "malware-found", 422, "/v1/provenance/verify",
        sent={"files": {"file": ("a.png", PNG + b"<script>x()</script>", "image/png")}}),
    Bad("JSON where a form belongs", "wrong-content-type", 415, FILES, sent={"json": {"purpose": "evals"}}),
]  # fmt: skip


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_bad_upload(home: House, owner: Person, key: dict[str, str], bad: Bad) -> None:
    assert_refused(home, bad, key, owner.headers)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("\u202etxt.exe.txt", "txt.exe.txt"),
        ("\U0001f469.txt", "\U0001f469.txt"),
        ("x" * 900 + ".txt", "x" * 196 + ".txt"),
    ],
)
def test_strange_file_names_lose_what_is_dangerous(home: House, key: dict[str, str], given: str, shown: str) -> None:
    content = form(OK_FIELDS[0], part("file", b"text", given))
    headers = {**key, "content-type": "multipart/form-data; boundary=x"}
    response = home.client.post(FILES, content=content, headers=headers)
    assert (response.status_code, response.json().get("filename")) == (200, shown), response.text


def test_polyglots_are_reduced_to_the_picture(home: House, owner: Person, key: dict[str, str]) -> None:
    """A picture that is also an archive is a picture only, once it is kept."""
    hidden = b"PK\x03\x04" + NEVER_SEEN.encode()
    files = {"file": ("a.png", PNG + hidden, "image/png")}
    made = home.client.post(FILES, headers=key, files=files, data={"purpose": "vision"}).json()
    opened = home.client.get(f"/v1/files/{made['id']}/content", headers=key).content
    assert opened.startswith(b"\x89PNG")
    assert hidden not in opened


def test_no_upload_is_taken_while_the_virus_scanner_is_away(tmp_path: Path, home: House, key: dict[str, str]) -> None:
    file = {"files": {"file": ("a.txt", b"text", "text/plain")}, "data": {"purpose": "user_data"}}
    with house(tmp_path, gateway={"clamd": f"unix:{tmp_path}/nobody"}) as guarded:
        owner = guarded.tenant("kappa")
        headers = guarded.key_headers(owner, "generate")
        for bad in (
            Bad("file", "antivirus-away", 503, FILES, sent=file),
            edit("picture", PNG, "antivirus-away", 503),
        ):
            assert_refused(guarded, bad, headers, owner.headers)
    assert home.client.post(FILES, headers=key, **file).status_code == 200  # it left with its installation


@pytest.fixture(autouse=True)
def nothing_untyped(home: House, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No fault was journaled: every refusal was one on purpose."""
    yield
    assert '"event": "fault"' not in capfd.readouterr().err
