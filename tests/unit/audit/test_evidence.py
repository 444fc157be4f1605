from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest

from log_world import World
from troth.audit.evidence import LogEvidence, WitnessedLog
from troth.audit.proof_text import JointProof
from troth.audit.tlog_policy import TlogPolicy
from troth.audit.verify import verify_proof
from troth.audit.witness_client import WitnessClient
from troth.audit.witnessing import Witnessing
from troth.http.witness import witness_app
from troth.kernel.errors import Unavailable
from witness_world import GrowingLog, answering, witness_in


def test_the_newest_entry_of_a_request_is_signed_and_proven(world: World) -> None:
    world.wait_for(3, log="ten_a", request="req_1")
    proof = LogEvidence(world.sequencer, world.prover).prove("ten_a", "req_1")
    assert verify_proof(proof, world.reader.entry("ten_a", 2), world.vkey("ten_a")) == 2


def test_a_request_without_an_entry_has_no_proof_yet(world: World) -> None:
    world.wait_for(1, log="ten_a")
    with pytest.raises(Unavailable) as caught:
        LogEvidence(world.sequencer, world.prover).prove("ten_a", "req_other")
    assert caught.value.code == "no-proof"


def test_with_a_policy_the_proof_bears_the_cosignatures(world: World) -> None:
    operator, meta = (GrowingLog(world.sequencer.origins.origin(log)) for log in ("operator", "meta"))
    witness = witness_in(world.folder / "w", operator, meta)
    with answering(witness_app(witness)) as url:
        key = witness._cosigners[0].verifier
        policy = TlogPolicy.parse(f"witness w {key} {url}\nquorum w\n".encode())
        witnessing = Witnessing(world.database, policy, WitnessClient(seconds=1), world.clock)
        world.sequencer.witnessing = witnessing
        world.wait_for(3, log="ten_a", request="req_1")
        proof = JointProof.parse(LogEvidence(world.sequencer, world.prover).prove("ten_a", "req_1"))
        assert proof.meta is not None
        assert policy.require(proof.meta.checkpoint, log=world.sequencer.origins.key("meta")).size == 1
        world.wait_for(1, request="req_2")
        WitnessedLog(world.sequencer, witnessing, 5).require("operator")
        assert witnessing.state()[0].witnessed == 1
    world.wait_for(1, log="ten_a", start=3, request="req_3")
    with pytest.raises(Unavailable) as caught:
        LogEvidence(world.sequencer, world.prover).prove("ten_a", "req_3")
    assert caught.value.code == "unwitnessed"
    with pytest.raises(Unavailable) as refused:
        WitnessedLog(world.sequencer, witnessing, 0.1).require("ten_a")
    assert refused.value.code == "unwitnessed"


def test_nobody_waits_for_others_longer_than_for_witnesses(world: World) -> None:
    log = GrowingLog(world.sequencer.origins.origin("operator"))
    key = witness_in(world.folder / "w", log)._cosigners[0].verifier
    policy = TlogPolicy.parse(f"witness w {key} http://127.0.0.1:9\nquorum w\n".encode())
    witnessing = Witnessing(world.database, policy, WitnessClient(seconds=1), world.clock)
    world.sequencer.witnessing = witnessing
    world.wait_for(1)
    codes: list[str] = []

    def ask() -> None:
        with pytest.raises(Unavailable) as caught:
            WitnessedLog(world.sequencer, witnessing, 0.2).require("operator")
        codes.append(caught.value.code)

    with world.sequencer._publishing:  # somebody signs, and does not come to an end
        asked = threading.Thread(target=ask, daemon=True)
        asked.start()
        asked.join(10)
        assert codes == ["unwitnessed"]
        with ExitStack() as held:
            for _ in range(4):
                held.enter_context(witnessing.turn("operator", time.monotonic()))
            world.wait_for(1, start=1)
            with pytest.raises(Unavailable):
                WitnessedLog(world.sequencer, witnessing, 0.2).require("operator")
            assert world.sequencer.state().waiting == 1  # the fifth does not even begin
    with witnessing.turn("operator", time.monotonic()):
        assert witnessing._waiting._value == 3
