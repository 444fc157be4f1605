"""Digests of checkpoints for the meta log."""

from __future__ import annotations

import hashlib

import pytest

from troth.audit.meta import covered, key_of, leaf_of
from troth.audit.note import Note, NoteSignature, VerifierKey
from troth.kernel.errors import IntegrityError

_KEY = VerifierKey("host.test/log/ten_a", b"\x07" * 32)
_TEXT = "host.test/log/ten_a\n3\nAAAA\n"
_OWN = _KEY.sign_with(b"\x01" * 64)
_OTHER = NoteSignature("witness.test", b"\x01\x02\x03\x04", b"\x05" * 72)


def test_a_leaf_is_the_digest_of_text_and_own_signature() -> None:
    note = Note(_TEXT, (_OWN,)).encode()
    assert leaf_of(note, _KEY) == hashlib.sha256(note).digest()


def test_cosignatures_do_not_change_the_leaf() -> None:
    plain = leaf_of(Note(_TEXT, (_OWN,)).encode(), _KEY)
    assert leaf_of(Note(_TEXT, (_OTHER, _OWN, _OTHER)).encode(), _KEY) == plain


@pytest.mark.parametrize("signatures", [(_OTHER,), (_OWN, _OWN)])
def test_the_own_signature_stands_exactly_once(signatures: tuple[NoteSignature, ...]) -> None:
    with pytest.raises(IntegrityError, match="once"):
        leaf_of(Note(_TEXT, signatures).encode(), _KEY)


def test_the_key_of_the_meta_log_follows_from_any_log_key() -> None:
    assert key_of(_KEY) == VerifierKey("host.test/log/meta", _KEY.public_key)
    with pytest.raises(IntegrityError, match="shape"):
        key_of(VerifierKey("host.test", _KEY.public_key))


def test_only_tenants_logs_are_covered() -> None:
    assert [covered(log) for log in ("ten_a", "operator", "meta")] == [True, False, False]
