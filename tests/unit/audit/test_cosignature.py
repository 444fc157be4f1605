from __future__ import annotations

from datetime import UTC, datetime

import pytest

from troth.audit.checkpoint import Checkpoint
from troth.audit.cosignature import Ed25519Cosigner, MlDsa44Cosigner, cosigned_at, with_signatures
from troth.audit.note import Note, NoteSignature, open_note, verified_signers
from troth.kernel.errors import IntegrityError

TEXT = Checkpoint("troth.test/log/operator", 300, bytes(range(32))).text()
NOW = 1_790_000_000
COSIGNERS = [Ed25519Cosigner("w.test/a", b"\x01" * 32), MlDsa44Cosigner("w.test/a", b"\x01" * 32)]


@pytest.mark.parametrize("cosigner", COSIGNERS, ids=["ed25519", "ml-dsa-44"])
def test_a_cosignature_holds_for_its_text_only(cosigner: Ed25519Cosigner | MlDsa44Cosigner) -> None:
    line = cosigner.cosign(TEXT, NOW)
    note = Note(TEXT, (line,))
    assert verified_signers(note, [cosigner.verifier]) == {cosigner.verifier}
    assert cosigned_at(line) == datetime.fromtimestamp(NOW, UTC)
    other = Note(Checkpoint("troth.test/log/operator", 301, bytes(range(32))).text(), (line,))
    with pytest.raises(IntegrityError, match="does not hold"):
        open_note(other.encode(), [cosigner.verifier])


@pytest.mark.parametrize("cosigner", COSIGNERS, ids=["ed25519", "ml-dsa-44"])
def test_the_time_is_signed_too(cosigner: Ed25519Cosigner | MlDsa44Cosigner) -> None:
    raw = cosigner.cosign(TEXT, NOW).signature
    later = (NOW + 1).to_bytes(8) + raw[8:]
    with pytest.raises(IntegrityError, match="does not hold"):
        cosigner.verifier.verify(TEXT, later)


@pytest.mark.parametrize("cosigner", COSIGNERS, ids=["ed25519", "ml-dsa-44"])
def test_no_cosignature_without_a_time(cosigner: Ed25519Cosigner | MlDsa44Cosigner) -> None:
    for at in (0, -1, 1 << 63):
        with pytest.raises(IntegrityError) as caught:
            cosigner.cosign(TEXT, at)
        assert caught.value.code == "bad-time"


def test_the_two_kinds_of_one_name_are_two_keys() -> None:
    note = with_signatures(Note(TEXT, ()), tuple(one.cosign(TEXT, NOW) for one in COSIGNERS))
    assert len(verified_signers(note, [one.verifier for one in COSIGNERS])) == 2


def test_a_newer_cosignature_takes_the_place_of_the_older() -> None:
    first, other = COSIGNERS
    note = with_signatures(
        Note(TEXT, (first.cosign(TEXT, NOW), other.cosign(TEXT, NOW))), (first.cosign(TEXT, NOW + 5),)
    )
    assert [cosigned_at(one).timestamp() for one in note.signatures] == [NOW, NOW + 5]


def test_a_time_beyond_all_calendars() -> None:
    with pytest.raises(IntegrityError, match="calendars"):
        cosigned_at(NoteSignature("w", b"abcd", ((1 << 63) - 1).to_bytes(8) + b"x"))
