from __future__ import annotations

import pytest

from log_world import World
from troth.audit.evidence import LogEvidence
from troth.audit.verify import verify_proof
from troth.kernel.errors import Unavailable


def test_the_newest_entry_of_a_request_is_signed_and_proven(world: World) -> None:
    world.wait_for(3, log="ten_a", request="req_1")
    proof = LogEvidence(world.sequencer, world.prover).prove("ten_a", "req_1")
    assert verify_proof(proof, world.reader.entry("ten_a", 2), world.vkey("ten_a")) == 2


def test_a_request_without_an_entry_has_no_proof_yet(world: World) -> None:
    world.wait_for(1, log="ten_a")
    with pytest.raises(Unavailable) as caught:
        LogEvidence(world.sequencer, world.prover).prove("ten_a", "req_other")
    assert caught.value.code == "no-proof"
