"""The sample data set is the same everywhere and holds what it promises."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from troth.redact.samples.generate import rows, write_sample


def test_repeatable() -> None:
    assert list(rows(40)) == list(rows(40))
    assert list(rows(40, seed=2)) != list(rows(40))


def test_subjects_keep_their_consent() -> None:
    consents: dict[str, set[str | None]] = {}
    for row in rows(300):
        consents.setdefault(row["subject"], set()).add(row["consent"])
    assert all(len(c) == 1 for c in consents.values())
    assert {None} in consents.values()


def test_size(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    count = write_sample(path, megabytes=0.2)
    assert 200_000 <= path.stat().st_size < 203_000
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == count
    assert all(json.loads(line)["body"] for line in lines)
    write_sample(tmp_path / "t.jsonl", megabytes=0.2)
    assert hashlib.sha256((tmp_path / "t.jsonl").read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()
