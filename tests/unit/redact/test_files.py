"""Files are whole or not there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from troth.redact.files import TEMPORARY, atomic_file, sha256_file, sweep, write_atomically


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"one")
    with pytest.raises(RuntimeError), atomic_file(tmp_path / "a") as stream:
        stream.write(b"half")
        raise RuntimeError
    assert (tmp_path / "a").read_bytes() == b"one"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_sweep_takes_only_the_unfinished(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY}x").write_bytes(b"1")
    (tmp_path / "y").write_bytes(b"2")
    assert sweep(tmp_path) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["y"]
    assert sha256_file(tmp_path / "y") == hashlib.sha256(b"2").hexdigest()
