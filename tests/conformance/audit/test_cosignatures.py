"""C2SP tlog-cosignature: checkpoints of public logs that public witnesses cosigned (types 0x04 and 0x06).

Two were published by the logs arche2025h1 (witness remora.n621.de) and coachandhorses2026h1 (witness of Geomys). The
third is of a log of Troth's, submitted by Troth to the witness of the package aics-witness 0.1.0.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.audit.note import VerifierKey, open_note, verified_signers
from troth.audit.signature_kinds import COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44, ED25519
from troth.kernel.errors import IntegrityError

VECTORS = Path(__file__).parents[1] / "vectors" / "cosignatures"
CASES = ["arche2025h1", "coachandhorses2026h1", "aics-witness"]


def read(name: str) -> tuple[bytes, list[VerifierKey]]:
    lines = (VECTORS / f"{name}.keys").read_text().splitlines()
    keys = [VerifierKey.parse(line) for line in lines]
    assert [str(key) for key in keys] == lines
    return (VECTORS / f"{name}.checkpoint").read_bytes(), keys


@pytest.mark.parametrize("name", CASES)
def test_published_cosignatures_hold(name: str) -> None:
    content, keys = read(name)
    note = open_note(content, keys)
    assert note.encode() == content
    assert verified_signers(note, keys) == frozenset(keys)


@pytest.mark.parametrize("name", CASES)
def test_another_size_does_not(name: str) -> None:
    content, keys = read(name)
    origin, size, rest = content.split(b"\n", 2)
    changed = b"\n".join((origin, size + b"0", rest))
    for key in keys:
        with pytest.raises(IntegrityError, match="does not hold"):
            open_note(changed, [key])


def test_all_three_types_are_among_them() -> None:
    kinds = {key.kind for name in CASES for key in read(name)[1]}
    assert kinds == {ED25519, COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44}
