from __future__ import annotations

import pytest

from troth.audit.cosignature import Ed25519Cosigner, MlDsa44Cosigner
from troth.audit.signature_kinds import checkpoint_lines, decode_base64, subtree, time_of, timed_text, verify
from troth.kernel.errors import IntegrityError

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
TEXT = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"


def test_the_message_of_an_ed25519_cosignature_is_the_one_of_the_specification() -> None:
    expected = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n" + ROOT + "\n"
    assert timed_text(TEXT, 1679315147) == expected.encode()


def test_the_message_of_an_ml_dsa_cosignature_member_by_member() -> None:
    message = subtree("w.test/a", TEXT, 7)
    assert message[:12] == b"subtree/v1\n\0"
    assert message[12:21] == b"\x08w.test/a"
    assert message[21:29] == (7).to_bytes(8)
    assert message[29:57] == b"\x1bexample.com/behind-the-sofa"
    assert message[57:65] == bytes(8)
    assert message[65:73] == (20852163).to_bytes(8)
    assert message[73:] == decode_base64(ROOT, "bad")


def test_extension_lines_are_not_in_it_but_in_the_other() -> None:
    assert subtree("w", TEXT + "more\n", 7) == subtree("w", TEXT, 7)
    assert timed_text(TEXT + "more\n", 7) != timed_text(TEXT, 7)


@pytest.mark.parametrize("name", ["", "n" * 256])
def test_names_that_their_length_byte_cannot_state(name: str) -> None:
    with pytest.raises(IntegrityError, match="255"):
        subtree(name, TEXT, 7)
    with pytest.raises(IntegrityError):
        subtree("w", TEXT.replace("example.com/behind-the-sofa", name), 7)


@pytest.mark.parametrize("cosigner", [Ed25519Cosigner("w", b"\x01" * 32), MlDsa44Cosigner("w", b"\x01" * 32)])
def test_lengths_and_times_are_checked_before_anything_else(cosigner: Ed25519Cosigner | MlDsa44Cosigner) -> None:
    key, raw = cosigner.verifier, cosigner.cosign(TEXT, 9).signature
    verify(key.kind, key.name, key.public_key, TEXT, raw)
    with pytest.raises(IntegrityError, match="length"):
        verify(key.kind, key.name, key.public_key, TEXT, raw + b"\0")
    with pytest.raises(IntegrityError, match="time"):
        verify(key.kind, key.name, key.public_key, TEXT, b"\x80" + raw[1:])
    with pytest.raises(IntegrityError, match="time"):
        time_of(b"short")


@pytest.mark.parametrize(
    "text",
    ["", "a\n1\n", f"a\n01\n{ROOT}\n", f"a\n1\n{ROOT}\n\n", f"a\n1\n{ROOT}\n\nx\n", f"a\n1\n{ROOT}", "a\n1\nAAAA\n"],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        checkpoint_lines(text)
    assert caught.value.code == "bad-checkpoint"
