"""pymerkle, a Merkle tree that is not ours: it comes to the signed roots, and accepts our proofs in its own form."""

from __future__ import annotations

import pytest
from pymerkle import InmemoryTree, InvalidProof, MerkleProof, verify_consistency, verify_inclusion

from tampering import LOG, MORE, SIZE, Logs
from troth.audit.checkpoint import Checkpoint
from troth.audit.note import parse_note
from troth.audit.proof_text import JointProof
from troth.audit.tiles import unbundle


@pytest.fixture(scope="module")
def tree(logs: Logs) -> InmemoryTree:
    grown = InmemoryTree(algorithm="sha256")
    folder = logs.scratch / LOG / "tile/entries"
    for name in ("000", "001", f"002.p/{SIZE + MORE - 512}"):
        for entry in unbundle((folder / name).read_bytes()):
            grown.append_entry(entry)
    return grown


def signed(logs: Logs, folder: str) -> Checkpoint:
    return Checkpoint.parse(parse_note((logs.scratch / folder / "checkpoint").read_bytes()).text)


def test_the_signed_roots_are_pymerkles(tree: InmemoryTree, logs: Logs) -> None:
    for checkpoint in (signed(logs, "early"), signed(logs, LOG)):
        assert tree.get_root(checkpoint.size) == checkpoint.root


def proof(tree: InmemoryTree, logs: Logs, index: int) -> MerkleProof:
    """Our proof in pymerkle's form: the leaf's hash first; which side a hash stands on follows from index and size."""
    ours = JointProof.parse(logs.world.prover.proof(LOG, index)).entry
    theirs = tree.prove_inclusion(index + 1, SIZE + MORE).serialize()
    theirs["path"] = [tree.get_leaf(index + 1).hex(), *(one.hex() for one in ours.path)]
    return MerkleProof.deserialize(theirs)


@pytest.mark.parametrize("index", [0, 1, 255, 256, 511, 512, SIZE - 1, SIZE + MORE - 1])
def test_pymerkle_accepts_our_proofs_and_no_others(tree: InmemoryTree, logs: Logs, index: int) -> None:
    root, leaf = signed(logs, LOG).root, tree.get_leaf(index + 1)
    verify_inclusion(leaf, root, proof(tree, logs, index), index=index + 1, size=SIZE + MORE)
    bent = proof(tree, logs, index)
    bent.path[-1] = bytes(32)
    with pytest.raises(InvalidProof):
        verify_inclusion(leaf, root, bent, index=index + 1, size=SIZE + MORE)
    with pytest.raises(InvalidProof):
        verify_inclusion(tree.get_leaf(3), root, proof(tree, logs, index), index=index + 1, size=SIZE + MORE)


def test_the_later_log_contains_the_earlier(tree: InmemoryTree, logs: Logs) -> None:
    early, late = signed(logs, "early"), signed(logs, LOG)
    grown = tree.prove_consistency(early.size, late.size)
    verify_consistency(early.root, late.root, grown, prior_size=early.size, later_size=late.size)
    with pytest.raises(InvalidProof):
        verify_consistency(bytes(32), late.root, grown, prior_size=early.size, later_size=late.size)
