"""The log shows its checkpoints to witnesses, keeps what they cosign, and stops for what they repeat."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete
from starlette.types import Receive, Scope, Send

from database_world import RoomDatabase, opened
from log_world import World
from troth.audit.cosignature import Ed25519Cosigner, cosigned_at
from troth.audit.cosigned_notes import audit_witnessed
from troth.audit.note import parse_note
from troth.audit.proof_text import JointProof, ProofText
from troth.audit.verify import Trust, verify_joint
from troth.audit.witness_client import WitnessClient
from troth.audit.witnessing import Witnessing
from troth.http.witness import witness_app
from troth.kernel.errors import IntegrityError, Unavailable
from troth.storage.blobs import LocalBlobs
from witness_town import NAMES, OBJECTS, SIZE, Town, scripted, states, wait
from witness_world import GrowingLog, Scripted, answering


def test_a_checkpoint_is_cosigned_before_it_is_shown(town: Town) -> None:
    town.start(*NAMES)
    policy = town.policy(3)
    witnessing = town.join(policy)
    for size in (3, 5, 300):
        town.world.grow(size - (town.world.reader.size("operator") if size > 3 else 0))
        assert policy.require(town.shown(), log=town.key()).size == size
    assert states(witnessing) == dict.fromkeys(NAMES, (300, None))
    note = parse_note(town.shown())
    assert cosigned_at(note.signatures[-1]) == town.world.clock.now()


def test_tenants_are_vouched_for_by_the_meta_log(town: Town) -> None:
    town.start("w0")
    policy = town.policy(1, ("w0",))
    town.join(policy)
    town.world.grow(3, log="ten_a")
    proof = JointProof.parse(town.world.prover.proof("ten_a", 1))
    assert proof.meta is not None
    assert policy.require(proof.meta.checkpoint, log=town.key("meta")).size == 1
    with pytest.raises(IntegrityError):
        policy.require(town.shown("ten_a"), log=town.key("ten_a"))


def test_one_of_three_may_be_away(town: Town) -> None:
    town.start(*NAMES)
    policy = town.policy(2)
    witnessing = town.join(policy)
    town.stop("w1")
    town.world.grow(4)
    assert policy.require(town.shown(), log=town.key()).size == 4
    assert states(witnessing) == {"w0": (4, None), "w1": (None, "It does not answer."), "w2": (4, None)}
    assert witnessing.state()[0].met


def test_without_a_quorum_reading_goes_on_and_proofs_of_before_stay(town: Town) -> None:
    town.start("w0")
    policy = town.policy(1, ("w0",))
    witnessing = town.join(policy)
    town.world.grow(4)
    town.stop("w0")
    town.world.grow(2, start=4)
    assert town.world.reader.head("operator").size == 6
    with pytest.raises(IntegrityError):
        policy.require(town.shown(), log=town.key())
    older = ProofText.parse(town.world.prover.proof("operator", 3))
    assert policy.require(older.checkpoint, log=town.key()).size == 4
    newer = ProofText.parse(town.world.prover.proof("operator", 4))
    with pytest.raises(IntegrityError) as caught:
        policy.require(newer.checkpoint, log=town.key())
    assert caught.value.code == "no-quorum"
    state = witnessing.state()[0]
    assert (state.signed, state.witnessed, state.met) == (6, 4, False)
    with pytest.raises(Unavailable) as refused:
        wait(witnessing, 0.2)
    assert refused.value.code == "unwitnessed"


def test_what_the_witnesses_vouched_for_of_a_tenant_stays_proven(town: Town) -> None:
    town.start("w0")
    policy = town.policy(1, ("w0",))
    town.join(policy)
    town.world.grow(4, log="ten_a")
    town.stop("w0")
    town.world.grow(2, log="ten_a", start=4)
    trust = Trust(town.key("ten_a"), policy)
    leaves = town.world.leaves("ten_a")
    proven = verify_joint(town.world.prover.proof("ten_a", 3), leaves[3], trust)
    assert (proven.index, proven.size, proven.witnesses) == (3, 4, ("w0",))
    with pytest.raises(IntegrityError) as caught:
        verify_joint(town.world.prover.proof("ten_a", 4), leaves[4], trust)
    assert caught.value.code == "no-quorum"
    assert verify_joint(town.world.prover.proof("ten_a", 4), leaves[4], Trust(town.key("ten_a"))).size == 6


def test_witnesses_that_come_back_are_shown_what_they_missed(town: Town) -> None:
    town.start("w0")
    policy = town.policy(1, ("w0",))
    town.join(policy)
    town.world.grow(4)
    town.stop("w0")
    town.world.grow(2, start=4)
    town.start("w0")
    witnessing = town.join(town.policy(1, ("w0",)))
    witnessing.catch_up()
    assert policy.require(town.shown(), log=town.key()).size == 6
    witnessing.require("operator")


def test_who_needs_witnesses_asks_them_again_at_once(town: Town) -> None:
    town.start("w0")
    witnessing = town.join(town.policy(1, ("w0",)))
    town.stop("w0")
    town.world.grow(4)
    witnessing.cosign("operator", town.shown())  # a moment after a failure it is not tried again
    assert not witnessing.state()[0].met
    town.start("w0")
    witnessing._keys = {town.urls["w0"]: witnessing._keys.popitem()[1]}  # the port that the system gave it now
    wait(witnessing, 5)
    assert witnessing.state()[0].met


def test_after_a_restart_the_witness_says_where_it_is(town: Town) -> None:
    town.start("w0")
    policy = town.policy(1, ("w0",))
    town.join(policy)
    town.world.grow(4)
    with town.world.database.write() as connection:
        connection.execute(delete(audit_witnessed))
    town.join(policy)
    town.world.grow(3, start=4)
    assert policy.require(town.shown(), log=town.key()).size == 7


def test_what_was_cosigned_survives_a_restart(town: Town) -> None:
    town.start("w0")
    policy = town.policy(1, ("w0",))
    town.join(policy)
    town.world.grow(4)
    again = Witnessing(town.world.database, policy, WitnessClient(seconds=1), town.world.clock)
    state = again.state()[0]
    assert (state.signed, state.witnessed, state.met) == (4, 4, True)
    assert state.witnesses[0].fault is not None  # not asked yet: unknown, not good
    again.begin()
    assert states(again) == {"w0": (4, None)}


def test_a_log_that_was_put_back_is_stopped(tmp_path: Path) -> None:
    """Data, guard and mirror of one day together: only the witness knows better."""
    now, before = tmp_path / "now", tmp_path / "before"
    now.mkdir()
    with opened("sqlite", now) as database:
        town = Town(World(database, LocalBlobs(now / "blobs"), now))
        town.start("w0")
        policy = town.policy(1, ("w0",))
        town.join(policy)
        town.world.grow(4)
        database.checkpoint()
        shutil.copytree(now, before)
        town.world.grow(3, start=4)
        town.world.sequencer.stop()
    (path,) = before.glob("*.db")
    old = World(RoomDatabase(f"sqlite:///{path}"), LocalBlobs(before / "blobs"), before)
    old.sequencer.witnessing = Witnessing(old.database, policy, WitnessClient(seconds=1), old.clock)
    with pytest.raises(IntegrityError) as caught:
        old.sequencer.start()
    assert caught.value.code == "fork"
    assert "Witnesses know more" in str(old.sequencer.state().fault)
    with pytest.raises(IntegrityError):
        old.sequencer.flush()
    old.sequencer.stop()
    old.database.close()
    town.stop("w0")


def test_another_history_is_told_and_never_has_the_quorum(town: Town) -> None:
    town.start("w0")
    # The witness has seen five entries of another history under the same key.
    log = GrowingLog(town.key().name, seed=b"\x07" * 32).grow(5, b"other")
    town.witness("w0").add_checkpoint(log.ask(0))
    witnessing = town.join(town.policy(1, ("w0",)))
    town.world.grow(9)
    for _ in range(4):
        with pytest.raises(Unavailable) as caught:
            wait(witnessing, 0.1)
        assert caught.value.code == "unwitnessed"
    assert states(witnessing)["w0"][1] == OBJECTS
    assert (witnessing.state()[0].objected, witnessing.state()[0].met) == (True, False)
    assert town.world.sequencer.state().fault is None


def test_one_liar_does_not_stop_a_log_that_needs_no_liar(town: Town) -> None:
    town.start("w0")
    liar = Scripted(status=409, body=b"999999\n", media_type=SIZE)
    with answering(liar) as url:
        policy = town.policy(1, ("w0", "w1"), w1=url)
        witnessing = town.join(policy)
        town.world.grow(4)
        assert policy.require(town.shown(), log=town.key()).size == 4
    assert states(witnessing)["w0"] == (4, None)
    assert "objects" in str(states(witnessing)["w1"][1])


@pytest.mark.parametrize(
    ("door", "fault"),
    [
        (Scripted(200, b""), "signature"),
        (Scripted(200, b"\xff" * 50), "UTF-8"),
        (Scripted(200, "— w0.test AAAAAAAA\n".encode()), "other keys"),
        (Scripted(200, Ed25519Cosigner("w9.test", bytes(32)).cosign("a\n1\nAA==\n", 9).line().encode()), "other keys"),
        (Scripted(200, Ed25519Cosigner("w0.test", b"w0" * 16).cosign("a\n1\nAA==\n", 9).line().encode()), "hold"),
        (Scripted(500, b"oops"), "status 500"),
        (Scripted(301, b""), "status 301"),
        (Scripted(403, b""), "status 403"),
        (Scripted(404, b""), "status 404"),
        (Scripted(409, b"2\n", SIZE), "another checkpoint meanwhile"),
        (Scripted(200, b"x", pieces=100, pause=0.1), "does not answer"),
    ],
)
def test_what_a_witness_says_counts_only_by_its_signature(town: Town, door: Scripted, fault: str) -> None:
    door.asked.clear()
    with scripted(town, door) as witnessing:
        town.world.grow(4)
    assert not witnessing.state()[0].met
    assert fault in str(states(witnessing)["w0"][1])
    assert len(door.asked) <= 3
    assert town.world.reader.head("operator").size == 4


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("door", [Scripted(409, b"2", SIZE), Scripted(409, b"fork"), Scripted(409), Scripted(422)])
def test_an_objection_without_a_size_never_stops_the_log(town: Town, door: Scripted) -> None:
    """A proxy before the witness can say that too."""
    with scripted(town, door) as witnessing:
        town.world.grow(4)
        for _ in range(4):
            assert not witnessing._attempt("operator", town.shown())
        witnessing.begin()
        assert states(witnessing) == {"w0": (None, OBJECTS)}
        assert (witnessing.state()[0].objected, witnessing.state()[0].met) == (True, False)
        with pytest.raises(Unavailable):
            witnessing.require("operator")
    assert town.world.sequencer.state().fault is None


@pytest.mark.usefixtures("quickly")
def test_a_larger_size_of_a_witness_that_is_needed_stops_the_log_when_it_is_repeated(town: Town) -> None:
    with scripted(town, Scripted(409, b"999999\n", SIZE)) as witnessing:
        town.world.grow(4)
        assert not witnessing._attempt("operator", town.shown())
        assert town.world.sequencer.state().fault is None
        with pytest.raises(IntegrityError, match="again and again") as caught:
            witnessing._attempt("operator", town.shown())
        assert caught.value.code == "fork"


def test_a_larger_size_that_is_repeated_within_a_moment_counts_once(town: Town) -> None:
    with scripted(town, Scripted(409, b"999999\n", SIZE)) as witnessing:
        town.world.grow(4)
        for _ in range(5):
            assert not witnessing._attempt("operator", town.shown())


@pytest.mark.usefixtures("quickly")
def test_a_size_that_we_hold_takes_a_larger_one_back(town: Town) -> None:
    door = Scripted(409, b"999999\n", SIZE)
    with scripted(town, door) as witnessing:
        town.world.grow(4)
        for body in (b"999999\n", b"2\n", b"999999\n", b"999999\n"):
            door.body = body
            assert not witnessing._attempt("operator", town.shown())
        door.status = 500  # neither counts nor takes back
        assert not witnessing._attempt("operator", town.shown())
        assert not witnessing.state()[0].objected
        door.status = 409
        with pytest.raises(IntegrityError):
            witnessing._attempt("operator", town.shown())


@pytest.mark.usefixtures("quickly")
def test_a_cosignature_takes_a_larger_size_back(town: Town) -> None:
    town.start("w0")
    witnessing = town.join(town.policy(1, ("w0",)))
    town.world.grow(4)
    seen = witnessing._seen[town.cosigner("w0").verifier, "operator"]
    seen.larger, seen.objects = 2, True
    assert not witnessing.state()[0].met
    assert witnessing._attempt("operator", town.shown())
    assert witnessing._seen[town.cosigner("w0").verifier, "operator"].larger == 0
    assert witnessing.state()[0].met


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("odd", [1, 2, 3])
def test_a_start_is_refused_only_for_what_is_repeated(town: Town, odd: int) -> None:
    town.start("w0")
    town.join(town.policy(1, ("w0",)))
    town.world.grow(4)
    real = witness_app(town.witness("w0"))
    door = Scripted(409, b"999999\n", SIZE)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (door if len(door.asked) < odd else real)(scope, receive, send)

    with answering(app) as url:
        again = town.join(town.policy(1, ("w0",), w0=url))
        if odd == 3:
            with pytest.raises(IntegrityError) as caught:
                again.begin()
            assert caught.value.code == "fork"
        else:
            again.begin()
            assert states(again) == {"w0": (4, None)}
