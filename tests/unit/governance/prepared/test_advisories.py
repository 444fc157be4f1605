"""Advisories are read strictly, and a version is vulnerable exactly where OSV says so."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from troth.governance.prepared.advisories import Undecidable, findings, read
from troth.governance.prepared.sbom import Component
from troth.kernel.errors import Invalid, TooLarge


def advisory(events: list[dict[str, str]] | None = None, **more: Any) -> dict[str, Any]:
    ranges = [] if events is None else [{"type": "ECOSYSTEM", "events": events}]
    affected = {"package": {"ecosystem": "PyPI", "name": "Acme_Tool"}, "ranges": ranges}
    affected |= {name: more.pop(name) for name in ("versions",) if name in more}
    return {"id": "PYSEC-1", "modified": "2026-11-20T00:00:00Z", "affected": [affected], **more}


def lines(*told: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(one) for one in told).encode()


def zipped(*told: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number, one in enumerate(told):
            archive.writestr(f"{number}.json", json.dumps(one))
    return target.getvalue()


def as_list(*told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode()


def hit(version: str, *told: dict[str, Any]) -> list[str]:
    return [one.advisory for one in findings(Component("acme-tool", version), read(lines(*told), "test"))]


@pytest.mark.parametrize("form", [lines, zipped, as_list])
def test_each_form_is_read(form: Callable[..., bytes]) -> None:
    known = read(form(advisory([{"introduced": "0"}])), "test")
    assert (known.source, known.count, known.as_of) == ("test", 1, 1_795_132_800_000)


@pytest.mark.parametrize(
    ("version", "vulnerable"),
    [("0.9", False), ("1.0", True), ("1.4.9", True), ("1.5rc1", True), ("1.5", False), ("2.0", True), ("2.1", False)],
)
def test_ranges_open_and_close(version: str, vulnerable: bool) -> None:
    told = advisory([{"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"last_affected": "2.0"}])
    assert bool(hit(version, told)) is vulnerable


def test_listed_versions_count_and_withdrawn_advisories_do_not() -> None:
    assert hit("1.0.0", advisory(versions=["1.0"])) == ["PYSEC-1"]
    assert hit("1.0", advisory(versions=["1.0"], withdrawn="2026-11-21T00:00:00Z")) == []


def test_an_advisory_that_does_not_say_which_versions_is_no_all_clear() -> None:
    with pytest.raises(Undecidable):
        hit("1.0", advisory())


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"nothing", b"PK\x03\x04broken", b"[1]", b"\xff\xfe", b"[" * 100_000,
                lines({"id": "A", "modified": "2026-11-20T00:00:00Z", "affected": []})]
)  # fmt: skip
def test_what_is_no_list_of_advisories_is_refused(content: bytes) -> None:
    with pytest.raises((Invalid, TooLarge)):
        read(content, "test")
