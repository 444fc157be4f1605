from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_world import TestKey
from troth.audit.note import MAX_NOTE_BYTES, MAX_SIGNATURES, Note, VerifierKey, open_note, parse_note
from troth.audit.signature_kinds import decode_base64
from troth.kernel.errors import IntegrityError

OTHER = TestKey("other.test", b"\x09" * 32)


def vkey(key: TestKey) -> VerifierKey:
    return VerifierKey(key.name, key.public_key)


def sign(text: str, *keys: TestKey) -> Note:
    return Note(text, tuple(vkey(key).sign_with(key.sign(text.encode())) for key in keys))


def test_a_signed_note_opens_whatever_unknown_keys_say(key: TestKey) -> None:
    note = sign("text\n\nwith an empty line\n", OTHER, key)
    assert open_note(note.encode(), [vkey(key)]).text == note.text


def test_a_bad_signature_of_a_known_key_rejects_the_note(key: TestKey) -> None:
    good, bad = sign("text\n", key), sign("other text\n", OTHER)
    note = Note("text\n", good.signatures + bad.signatures)
    open_note(note.encode(), [vkey(key)])
    with pytest.raises(IntegrityError, match="does not hold"):
        open_note(note.encode(), [vkey(key), vkey(OTHER)])


def test_no_known_key_no_note(key: TestKey) -> None:
    with pytest.raises(IntegrityError, match="trusted key") as caught:
        open_note(sign("text\n", key).encode(), [vkey(OTHER)])
    assert caught.value.code == "unknown-key"


def test_the_name_alone_does_not_make_a_key_known(key: TestKey) -> None:
    imposter = TestKey(key.name, b"\x01" * 32)
    with pytest.raises(IntegrityError, match="trusted key"):
        open_note(sign("text\n", imposter).encode(), [vkey(key)])


@given(st.data())
def test_every_flipped_bit_is_refused(data: st.DataObject) -> None:
    key = TestKey()
    content = bytearray(sign("three\nlines\nhere\n", key).encode())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IntegrityError):
        open_note(bytes(content), [vkey(key)])


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_anything_else_is_refused_with_a_typed_error(content: bytes) -> None:
    with pytest.raises(IntegrityError):
        open_note(content, [vkey(TestKey())])


def test_malformed_notes(key: TestKey) -> None:
    line = sign("text\n", key).signatures[0].line()
    for content in (
        b"",
        b"text\n",
        f"text\n{line}".encode(),
        f"\n{line}".encode(),
        f"te\x00xt\n\n{line}".encode(),
        f"te\rxt\n\n{line}".encode(),
        b"\xff\n\n" + line.encode(),
        f"text\n\n{line[:-1]}".encode(),
        f"text\n\n{line.replace('—', '-')}".encode(),
        f"text\n\n{line}\n".encode(),
        b"text\n\n" + "— troth.test AAAA\n".encode(),
        b"text\n\n" + "—  AAAAAAAAAA==\n".encode(),
        b"text\n\n" + line.encode() * (MAX_SIGNATURES + 1),
        b"x" * MAX_NOTE_BYTES + b"\n\n" + line.encode(),
    ):
        with pytest.raises(IntegrityError):
            parse_note(content)
    assert len(parse_note(b"text\n\n" + line.encode() * 16).signatures) == 16


def test_verifier_keys_read_back_and_others_are_refused(key: TestKey) -> None:
    text = str(vkey(key))
    assert VerifierKey.parse(text) == vkey(key)
    name, identifier, body = text.split("+", 2)
    for wrong in (
        "",
        name,
        f"{name}+{identifier}",
        f"{name}x+{identifier}+{body}",
        f"+{identifier}+{body}",
        f"{name}+00000000+{body}",
        f"{name}+{identifier}+{body[:-4]}",
        f"{name}+{identifier}+!{body}",
        f"a b+{identifier}+{body}",
        f"{name}+{identifier}+BAAA",
    ):
        with pytest.raises(IntegrityError):
            VerifierKey.parse(wrong)


@pytest.mark.parametrize("text", ["AB==", "A", "AA=A", "AA ==", "AA==\n", "ÄÄ=="])
def test_base64_is_canonical(text: str) -> None:
    with pytest.raises(IntegrityError):
        decode_base64(text, "bad")
