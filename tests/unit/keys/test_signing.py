"""The local signer."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from troth.kernel.errors import Invalid
from troth.keys.signing import LocalSigner


def test_a_signer_is_made_once_and_its_signatures_verify(tmp_path: Path) -> None:
    folder = tmp_path / "roots"
    signer = LocalSigner.open(folder, "troth.example/log/operator")
    again = LocalSigner.open(folder, "troth.example/log/operator")
    other = LocalSigner.open(folder, "troth.example/certificates")
    assert signer.public_key == again.public_key != other.public_key
    assert signer.name == "troth.example/log/operator"
    public = Ed25519PublicKey.from_public_bytes(signer.public_key)
    public.verify(again.sign(b"message"), b"message")
    with pytest.raises(InvalidSignature):
        public.verify(other.sign(b"message"), b"message")
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("name", ["", "a b", "a+b", "é", "a\n"])
def test_a_name_that_a_note_cannot_carry_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        LocalSigner.open(tmp_path / "roots", name)
