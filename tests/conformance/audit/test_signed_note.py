"""C2SP signed-note: the specification's example and the one of golang.org/x/mod/sumdb/note."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.audit.note import Note, VerifierKey, open_note
from troth.kernel.errors import IntegrityError

SPECIFICATION = (
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
)
GO = (
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
)
GO_PRIVATE = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"


@pytest.mark.parametrize(("vkey", "note"), [SPECIFICATION, GO])
def test_published_examples_open(vkey: str, note: str) -> None:
    key = VerifierKey.parse(vkey)
    assert str(key) == vkey
    assert open_note(note.encode(), [key]).encode() == note.encode()


@pytest.mark.parametrize(("vkey", "note"), [SPECIFICATION, GO])
def test_a_changed_letter_is_refused(vkey: str, note: str) -> None:
    changed = note.replace("is", "iz", 1)
    with pytest.raises(IntegrityError):
        open_note(changed.encode(), [VerifierKey.parse(vkey)])


def test_signing_gives_the_published_bytes() -> None:
    key, published = VerifierKey.parse(GO[0]), GO[1]
    text = published.partition("\n\n")[0] + "\n"
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(GO_PRIVATE)[1:])
    note = Note(text, (key.sign_with(private.sign(text.encode())),))
    assert note.encode().decode() == published
