"""Admits one file for `/v1/files`: text, JSON, JSON Lines, CSV, or a picture. Everything else is refused by name."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from troth.gateway.intake.admitted import Admitted, Limits
from troth.gateway.intake.image import admit_image, check_size
from troth.gateway.intake.kinds import IMAGES, foreign_text, image_type, normal, refused_family
from troth.gateway.intake.malware import examine
from troth.gateway.intake.purposes import JSON_LINES, reads_lines, require_fit
from troth.kernel.errors import Invalid, Malformed, TooLarge, UnsupportedMedia

_BY_SUFFIX: Final = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
_JSON_LINES: Final = frozenset({"application/jsonl", "application/x-jsonl", "application/jsonlines"})
_LOOSE: Final = frozenset({"text/plain"})
"""What clients declare when they do not know better: the suffix decides instead."""

_ADVICE: Final = {
    "archive": "Archives are not accepted: unpack it and upload the files one by one.",
    "program": "Programs and scripts are not accepted.",
    "document": "Documents are not accepted: save the text as .txt or the page as .png.",
    "markup": "HTML, XML and SVG can carry active content and are not accepted: send plain text or a PNG picture.",
}
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_MAX_NAME: Final = 200


def admit_file(
    filename: str,
    declared_media_type: str,
    content: bytes,
    limits: Limits | None = None,
    *,
    purpose: str = "user_data",
) -> Admitted:
    """The file, cleaned when it is a picture, unchanged when it is text, and fit for its purpose.

    Raises `Invalid` (`empty-content`, `broken-image`, `broken-json`, `broken-csv`, `not-text`), `Malformed`
    (`content-type-mismatch`), `TooLarge`, `UnsupportedMedia` (`unsupported-file`, `archive-refused`,
    `program-refused`, `document-refused`, `markup-refused`), and what `malware.examine` and `purposes.require_fit`
    raise.
    """
    limits = limits or Limits()
    admitted = _admitted(filename, declared_media_type, content, limits, read_later=reads_lines(purpose))
    require_fit(admitted, purpose, limits)
    return admitted


def _admitted(filename: str, declared_media_type: str, content: bytes, limits: Limits, *, read_later: bool) -> Admitted:
    check_size(content, limits)
    name = safe_name(filename)
    media_type = _media_type(name, declared_media_type)
    if image_type(content) or media_type in IMAGES:
        if media_type not in IMAGES:
            raise _mismatch()
        return replace(admit_image(content, media_type, limits), name=name)
    _refuse_family(content)
    text = _text(content)
    examine(content, picture=False)
    if media_type in _CHECKS and not (read_later and media_type == JSON_LINES):
        _CHECKS[media_type](text, limits)
    return Admitted(content, media_type, name=name)


def _media_type(name: str, declared: str) -> str:
    suffix = "." + name.rpartition(".")[2].lower() if "." in name else ""
    by_suffix, claimed = _BY_SUFFIX.get(suffix), normal(declared)
    if claimed in _JSON_LINES:
        claimed = "application/x-ndjson"
    if claimed is None or (claimed in _LOOSE and by_suffix is not None and by_suffix not in IMAGES):
        claimed = by_suffix
    if claimed is None or claimed not in _BY_SUFFIX.values():
        raise UnsupportedMedia(
            "Files are accepted as .txt, .md, .json, .jsonl, .csv, .tsv, .png, .jpg or .webp.", code="unsupported-file"
        )
    if by_suffix in IMAGES and claimed != by_suffix:
        raise _mismatch()
    return claimed


def _mismatch() -> Malformed:
    return Malformed(
        "The content, the file name and the declared type disagree: send the type that the file really has.",
        code="content-type-mismatch",
    )


def _refuse_family(content: bytes) -> None:
    family = refused_family(content) or foreign_text(content)
    if family is not None:
        raise UnsupportedMedia(_ADVICE[family], code=f"{family}-refused")


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8 text: save it with the encoding UTF-8.", code="not-text") from error
    if _CONTROLS.search(content):
        raise Invalid("The file has control characters, so it is not plain text.", code="not-text")
    return text


def _json(text: str, limits: Limits) -> None:
    _one_value(text, limits, "The file is not valid JSON: check it with a JSON editor.")


def _json_lines(text: str, limits: Limits) -> None:
    for number, line in enumerate(io.StringIO(text, newline="\n"), start=1):
        if line.strip():
            _one_value(line, limits, f"Line {number} is not valid JSON: each line must be one JSON value.")


def _one_value(text: str, limits: Limits, advice: str) -> None:
    if len(text) > limits.max_json_bytes:
        raise TooLarge(
            f"One JSON value is larger than {limits.max_json_bytes // 1024} KiB: use JSON Lines.", code="json-too-large"
        )
    try:
        json.loads(text, parse_constant=_refuse_constant, parse_int=len)  # integers of any length, unread
    except (ValueError, RecursionError) as error:
        raise Invalid(advice, code="broken-json") from error


def _refuse_constant(_: str) -> None:
    raise ValueError  # NaN and Infinity are not JSON (RFC 8259 section 6)


def _csv(text: str, _: Limits) -> None:
    _table(text, ",")


def _tsv(text: str, _: Limits) -> None:
    _table(text, "\t")


def _table(text: str, delimiter: str) -> None:
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        raise Invalid("The table cannot be read: check its quotes (RFC 4180).", code="broken-csv") from error


_CHECKS: Final[Mapping[str, Callable[[str, Limits], None]]] = {
    "application/json": _json,
    "application/x-ndjson": _json_lines,
    "text/csv": _csv,
    "text/tab-separated-values": _tsv,
}


def safe_name(filename: str) -> str:
    """The last part of the name, without control and format characters (which can disguise a suffix)."""
    last = re.split(r"[/\\]", filename)[-1]
    plain = "".join(character for character in last if unicodedata.category(character)[0] != "C").strip(" .")
    return plain[-_MAX_NAME:] or "file"
