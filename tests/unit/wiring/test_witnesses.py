from __future__ import annotations

from pathlib import Path

import pytest

from troth.audit.cosignature import Ed25519Cosigner
from troth.kernel.errors import Invalid, Malformed
from troth.settings.sections import Audit
from troth.storage.database import Database
from troth.wiring.witnesses import build_witnessing
from worlds import MovableClock

KEY = Ed25519Cosigner("w.test", b"\x01" * 32).verifier


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path / 'x.db'}")


def test_without_a_policy_there_is_nothing(database: Database) -> None:
    assert build_witnessing(Audit(), database, MovableClock()) is None


def test_a_policy_is_read(database: Database, tmp_path: Path) -> None:
    (tmp_path / "policy").write_text(f"witness w {KEY} https://w.test/\nquorum w\n")
    assert build_witnessing(Audit(witness_policy=tmp_path / "policy"), database, MovableClock())


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        (None, Invalid, "witness-policy"),
        ("quorum none\n", Invalid, "witness-policy"),
        (f"witness w {KEY}\nquorum w\n", Invalid, "witness-policy"),
        (f"witness w {KEY} http://w.test/\nquorum w\n", Invalid, "witness-url"),
        ("nonsense\n", Malformed, "bad-policy"),
        ("#" * (256 << 10) + "\n", Malformed, "bad-policy"),
    ],
)
def test_a_policy_that_cannot_be_used_stops_the_start(
    database: Database, tmp_path: Path, text: str | None, kind: type[Exception], code: str
) -> None:
    if text is not None:
        (tmp_path / "policy").write_text(text)
    with pytest.raises(kind) as caught:
        build_witnessing(Audit(witness_policy=tmp_path / "policy"), database, MovableClock())
    assert getattr(caught.value, "code", None) == code
    assert str(tmp_path) not in str(caught.value)
