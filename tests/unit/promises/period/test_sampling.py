"""Samples: from root and nonce alone, every item as likely, none twice."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter

import pytest

from troth.kernel.errors import Invalid
from troth.promises.period.sampling import draw

ROOT = hashlib.sha256(b"closing").digest()


def test_the_draw_is_the_one_that_the_document_describes() -> None:
    found, turn = [], 0
    while len(found) < 5:
        message = f"troth-sample-v1\nauditor-2026\ncheck-000\n{turn}\n".encode()
        value = int.from_bytes(hmac.new(ROOT, message, "sha256").digest()[:8], "big") % 4416
        turn += 1
        if value not in found:
            found.append(value)
    assert draw(ROOT, "auditor-2026", "check-000", 5, 4416) == tuple(found)


def test_each_item_comes_once_and_a_whole_population_is_a_permutation() -> None:
    assert sorted(draw(ROOT, "auditor-2026", "one", 100, 40)) == list(range(40))
    assert draw(ROOT, "auditor-2026", "one", 5, 0) == ()


def test_each_item_is_as_likely_as_every_other() -> None:
    drawn = Counter(draw(ROOT, f"auditor-{turn:04}", "one", 1, 10)[0] for turn in range(2000))
    assert set(drawn) == set(range(10))
    assert all(140 <= count <= 260 for count in drawn.values())  # 200 +- 4.5 sigma


def test_another_root_nonce_or_check_draws_others() -> None:
    first = draw(ROOT, "auditor-2026", "one", 10, 4416)
    assert first != draw(bytes(32), "auditor-2026", "one", 10, 4416)
    assert first != draw(ROOT, "auditor-2027", "one", 10, 4416)
    assert first != draw(ROOT, "auditor-2026", "two", 10, 4416)


@pytest.mark.parametrize(
    ("nonce", "size"), [("short", 1), ("with\nline", 1), ("a" * 129, 1), ("auditor-1", 0), ("auditor-1", 10_001)]
)
def test_what_is_no_nonce_or_size_is_refused(nonce: str, size: int) -> None:
    with pytest.raises(Invalid) as caught:
        draw(ROOT, nonce, "one", size, 10)
    assert caught.value.code == "bad-sample"
