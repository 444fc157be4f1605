from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_world import TestKey
from troth.audit.cosignature import cosigned_at
from troth.audit.merkle import EMPTY_ROOT
from troth.audit.note import MAX_NOTE_BYTES, Note, parse_note, verified_signers
from troth.audit.witness import MAX_EVIDENCE, Cosigned, OtherSize, Submission, Witness, WitnessRecords
from troth.kernel.errors import Conflict, Denied, IntegrityError, Invalid, Malformed, NotFound, TrothError
from troth.storage.blobs import LocalBlobs
from witness_world import ORIGIN, GrowingLog, witness_in
from worlds import MovableClock


@pytest.fixture
def log() -> GrowingLog:
    return GrowingLog().grow(10)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def witness(log: GrowingLog, clock: MovableClock, tmp_path: Path) -> Witness:
    return witness_in(tmp_path, log, clock=clock)


def last(folder: Path) -> Cosigned:
    return WitnessRecords(LocalBlobs(folder)).last(ORIGIN)[0]


def edited(body: bytes, change: Callable[[Submission], Submission]) -> bytes:
    return change(Submission.parse(body)).encode()


def test_a_growing_log_is_cosigned_by_both_keys(
    witness: Witness, log: GrowingLog, clock: MovableClock, tmp_path: Path
) -> None:
    for old, size in ((0, 3), (3, 3), (3, 8), (8, 10)):
        lines = witness.add_checkpoint(log.ask(old, size))
        note = parse_note(log.note(size) + lines)
        signers = verified_signers(note, [one.verifier for one in witness._cosigners])
        assert {one.kind for one in signers} == {0x04, 0x06}
        assert cosigned_at(note.signatures[-1]) == clock.now().replace(microsecond=0)
        assert (last(tmp_path).size, last(tmp_path).note) == (size, log.note(size))


def test_an_empty_log_may_be_cosigned(witness: Witness, tmp_path: Path) -> None:
    assert witness.add_checkpoint(GrowingLog().ask(0))
    assert last(tmp_path).root == EMPTY_ROOT


def test_404_for_an_unknown_log(witness: Witness) -> None:
    with pytest.raises(NotFound):
        witness.add_checkpoint(GrowingLog("troth.test/log/other").grow(1).ask(0))


def test_403_without_a_good_signature_of_the_log(witness: Witness, log: GrowingLog, tmp_path: Path) -> None:
    imposter = GrowingLog(seed=b"\x09" * 32).grow(4)
    bad = replace(parse_note(log.note(4)).signatures[0], signature=bytes(64))
    for body in (imposter.ask(0), edited(log.ask(0, 4), lambda one: replace(one, note=Note(one.note.text, (bad,))))):
        with pytest.raises(Denied):
            witness.add_checkpoint(body)
    assert last(tmp_path).size == 0


def test_another_key_of_the_log_may_sign_beside_the_trusted_one(witness: Witness, log: GrowingLog) -> None:
    other = GrowingLog(seed=b"\x09" * 32).grow(10)
    both = (*parse_note(other.note()).signatures, *parse_note(log.note()).signatures)
    assert witness.add_checkpoint(edited(log.ask(0), lambda one: replace(one, note=Note(one.note.text, both))))


def test_400_when_the_old_size_is_the_larger(witness: Witness, log: GrowingLog) -> None:
    with pytest.raises(Malformed, match="larger"):
        witness.add_checkpoint(edited(log.ask(0, 4), lambda one: replace(one, old=5)))


def test_409_with_the_size_that_is_known(witness: Witness, log: GrowingLog) -> None:
    witness.add_checkpoint(log.ask(0, 7))
    for body in (log.ask(0, 8), log.ask(6, 8), log.ask(8, 8), log.ask(0, 7)):
        with pytest.raises(OtherSize) as caught:
            witness.add_checkpoint(body)
        assert caught.value.size == 7


def test_a_rollback_is_refused(witness: Witness, log: GrowingLog, tmp_path: Path) -> None:
    witness.add_checkpoint(log.ask(0, 7))
    for old in (0, 3, 5):
        with pytest.raises(OtherSize):
            witness.add_checkpoint(log.ask(old, 5))
    assert last(tmp_path).size == 7


def test_409_and_evidence_for_another_root_of_the_same_size(witness: Witness, log: GrowingLog, tmp_path: Path) -> None:
    witness.add_checkpoint(log.ask(0, 7))
    forked = GrowingLog().grow(7, b"other")
    for _ in range(2):
        with pytest.raises(Conflict) as caught:
            witness.add_checkpoint(forked.ask(7))
        assert (caught.value.code, isinstance(caught.value, OtherSize)) == ("witness-fork", False)
    kept = [json.loads(LocalBlobs(tmp_path).get(name)) for name in LocalBlobs(tmp_path).names("evidence/")]
    assert kept == [{"origin": ORIGIN, "cosigned": log.note(7).decode(), "submitted": forked.note().decode()}]
    assert last(tmp_path).root == log.checkpoint(7).root


def test_evidence_has_a_limit(witness: Witness, log: GrowingLog, tmp_path: Path) -> None:
    witness.add_checkpoint(log.ask(0, 7))
    store = LocalBlobs(tmp_path)
    for number in range(MAX_EVIDENCE):
        (tmp_path / "evidence").mkdir(exist_ok=True)
        (tmp_path / "evidence" / str(number)).write_bytes(b"")
    with pytest.raises(Conflict):
        witness.add_checkpoint(GrowingLog().grow(7, b"other").ask(7))
    assert len(list(store.names("evidence/"))) == MAX_EVIDENCE


def test_422_for_a_proof_that_does_not_hold(witness: Witness, log: GrowingLog, tmp_path: Path) -> None:
    witness.add_checkpoint(log.ask(0, 7))
    forked = GrowingLog().grow(10, b"other")
    wrong = [
        forked.ask(7),
        edited(log.ask(7), lambda one: replace(one, proof=())),
        edited(log.ask(7), lambda one: replace(one, proof=(*one.proof, bytes(32)))),
        edited(log.ask(7), lambda one: replace(one, proof=one.proof[::-1])),
        edited(log.ask(7, 7), lambda one: replace(one, proof=(bytes(32),))),
    ]
    for body in wrong:
        with pytest.raises(Invalid) as caught:
            witness.add_checkpoint(body)
        assert caught.value.status == 422
    assert last(tmp_path).size == 7


def test_422_for_a_proof_from_nothing(witness: Witness, log: GrowingLog) -> None:
    with pytest.raises(Invalid):
        witness.add_checkpoint(edited(log.ask(0), lambda one: replace(one, proof=(bytes(32),))))


def test_extension_lines_are_signed_with_ed25519(witness: Witness, log: GrowingLog) -> None:
    text = log.checkpoint().text() + "more\n"
    note = Note(text, (log.vkey.sign_with(log.key.sign(text.encode())),))
    lines = witness.add_checkpoint(edited(log.ask(0), lambda one: replace(one, note=note)))
    assert len(verified_signers(parse_note(note.encode() + lines), [one.verifier for one in witness._cosigners])) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        b"old 00\n\nNOTE",
        b"old -1\n\nNOTE",
        b"old  0\n\nNOTE",
        b"old 9999999999999999999\n\nNOTE",
        b"new 0\n\nNOTE",
        b"\n\nNOTE",
        b"old 0\nAAAA\n\nNOTE",
        b"old 0\nnot base64\n\nNOTE",
        b"old 0\n\xff\n\nNOTE",
        b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\nNOTE",
        b"old 0\r\n\r\nNOTE",
        b"old 0\n\n\nNOTE",
        b"old 0\n\nNOTE" + b"x" * MAX_NOTE_BYTES,
        b"old 0\n\ntext without a checkpoint\n\n\xe2\x80\x94 a AAAAAAAA\n",
    ],
)
def test_400_for_what_is_no_request(witness: Witness, log: GrowingLog, body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        witness.add_checkpoint(body.replace(b"NOTE", log.note()))
    assert (caught.value.status, caught.value.code) == (400, "bad-request")


def test_sixty_three_lines_are_read_and_not_one_more(log: GrowingLog) -> None:
    full = edited(log.ask(0), lambda one: replace(one, proof=(bytes(32),) * 63))
    assert len(Submission.parse(full).proof) == 63
    with pytest.raises(Malformed):
        Submission.parse(edited(log.ask(0), lambda one: replace(one, proof=(bytes(32),) * 64)))


@given(st.binary(max_size=300), st.integers(0, 400))
def test_hostile_bodies_are_refused_with_a_type(junk: bytes, at: int) -> None:
    body = GrowingLog().grow(5).ask(2)
    for wrong in (junk, body[:at] + junk + body[at:], body[:at] + junk):
        try:
            Submission.parse(wrong)
        except Malformed:
            continue


def test_of_two_histories_at_once_one_wins(log: GrowingLog, tmp_path: Path) -> None:
    """Two processes would do the same: each has a store and a witness of its own on one folder."""
    for round_ in range(10):
        folder = tmp_path / str(round_)
        histories = [GrowingLog().grow(5, b"left"), GrowingLog().grow(5, b"right")] * 2
        witnesses = [witness_in(folder, one) for one in histories]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(_outcome, witnesses, [one.ask(0) for one in histories]))
        assert answers.count("cosigned") == 1, answers
        assert set(answers) == {"cosigned", "size 5"}
        winner = histories[answers.index("cosigned")]
        assert last(folder).root == winner.checkpoint().root


def test_growth_and_rollback_at_once_never_goes_back(log: GrowingLog, tmp_path: Path) -> None:
    """The race that the specification describes: N and N + K are checked side by side."""
    for round_ in range(10):
        folder = tmp_path / str(round_)
        first = witness_in(folder, log)
        first.add_checkpoint(log.ask(0, 2))
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(_outcome, [first, witness_in(folder, log)], [log.ask(2, 5), log.ask(2, 9)]))
        assert answers.count("cosigned") == 1
        assert last(folder).size == (5 if answers[0] == "cosigned" else 9)


def _outcome(witness: Witness, body: bytes) -> str:
    try:
        witness.add_checkpoint(body)
    except OtherSize as error:
        return f"size {error.size}"
    except TrothError as error:
        return error.code
    return "cosigned"


def test_without_its_records_it_does_not_begin_anew(log: GrowingLog, tmp_path: Path) -> None:
    witness = witness_in(tmp_path, log)
    witness.add_checkpoint(log.ask(0, 7))
    (name,) = LocalBlobs(tmp_path).names("logs/")
    (tmp_path / name).write_bytes(b'{"size": 3}')
    with pytest.raises(IntegrityError, match="cannot be read"):
        witness.add_checkpoint(log.ask(7))
    (tmp_path / name).unlink()
    with pytest.raises(IntegrityError, match="lost"):
        witness.add_checkpoint(log.ask(0))
    with pytest.raises(IntegrityError, match="lost"):
        Witness({ORIGIN: [log.vkey]}, WitnessRecords(LocalBlobs(tmp_path)), [], MovableClock())


def test_a_record_is_not_begun_twice(log: GrowingLog, tmp_path: Path) -> None:
    witness_in(tmp_path, log)
    with pytest.raises(Conflict):
        WitnessRecords(LocalBlobs(tmp_path)).begin(ORIGIN)
    assert TestKey(ORIGIN).public_key == log.vkey.public_key
