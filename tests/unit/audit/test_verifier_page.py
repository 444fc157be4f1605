"""The offline page: allows its own parts and nothing else, and its hashes are those of the standards."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from log_verifiers import Page, page_verifier
from troth.audit import verifier_page
from troth.audit.verifier_page import content_policy

PATH = Path(verifier_page.__file__).with_name(verifier_page.NAME)
TEXT = PATH.read_text()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with page_verifier(PATH) as running:
        yield running


@pytest.mark.parametrize(("tag", "count"), [("script", 2), ("style", 1)])
def test_the_page_allows_its_own_parts_and_no_other(tag: str, count: int) -> None:
    parts = re.findall(rf"<{tag}>(.*?)</{tag}>", TEXT, re.S)
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in parts]
    assert len(digests) == count
    allowed = re.search(rf"{tag}-src ([^;]*);", content_policy())
    assert allowed, "no such directive"
    assert allowed[1] == " ".join(f"'sha256-{one}'" for one in digests), "run scripts/verifier_page.py"


def test_the_page_loads_and_sends_nothing() -> None:
    assert content_policy().startswith("default-src 'none'; ")
    assert "connect-src" not in content_policy()
    assert re.findall(r"(?:https?:)?//[a-z]|\bfetch\(|XMLHttp|WebSocket|import\(|innerHTML|\beval\b", TEXT) == []
    assert re.findall(r'(?:src|href|action)="(?!data:,")', TEXT) == []


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 119, 120, 135, 136, 137, 167, 168, 1000])
def test_its_hashes_are_those_of_the_standards(page: Page, length: int) -> None:
    data = bytes(at % 251 for at in range(length))
    found = page.ask(data=data.hex())
    assert found == {
        "sha256": hashlib.sha256(data).hexdigest(),
        "shake128": hashlib.shake_128(data).hexdigest(400),
        "shake256": hashlib.shake_256(data).hexdigest(400),
    }
