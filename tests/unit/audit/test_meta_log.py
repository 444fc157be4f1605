"""The meta log as it grows: what it holds, when it is signed, and the joint proofs that lead to it."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from database_world import owned
from log_world import World
from troth.audit import store
from troth.audit.checkpoint import open_checkpoint
from troth.audit.meta import META, leaf_of
from troth.audit.note import VerifierKey
from troth.audit.proof_text import JointProof, ProofText
from troth.audit.verify import verify_log, verify_proof
from troth.kernel.errors import Unavailable


def _checked(world: World, log: str, index: int) -> JointProof:
    """A joint proof that leads from the entry to the signed meta log."""
    text = world.prover.proof(log, index)
    assert verify_proof(text, world.leaves(log)[index], world.vkey(log)) == index
    joint = JointProof.parse(text)
    assert joint.meta is not None
    leaf = leaf_of(joint.entry.checkpoint, VerifierKey.parse(world.vkey(log)))
    assert verify_proof(str(joint.meta), leaf, world.vkey(META)) == joint.meta.index
    return joint


def test_every_tenant_is_proven_by_one_meta_checkpoint(world: World) -> None:
    logs = [f"ten_{at}" for at in range(12)]
    for log in logs:
        world.wait_for(3, log=log)
    world.wait_for(2)
    world.sequencer.flush()
    joints = [_checked(world, log, 1) for log in logs]
    assert {joint.meta.checkpoint for joint in joints if joint.meta} == {world.reader.head(META).checkpoint}
    assert world.reader.head(META).size == 12
    assert verify_log(world.resource(META), world.vkey(META)).size == 12


def test_a_meta_entry_is_a_digest_and_nothing_else(world: World) -> None:
    world.grow(3, log="ten_secret")
    assert [len(leaf) for leaf in world.leaves(META)] == [32]
    held = b"".join(world.publisher.resource(META, path) for path in ("checkpoint", "tile/0/000.p/1"))
    assert b"ten_secret" not in held + world.leaves(META)[0]


def test_only_logs_that_grew_are_signed_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.grow(1, log="ten_a")
    world.grow(1, log="ten_b")
    signed: list[bytes] = []
    sign = world.key.sign
    monkeypatch.setattr(world.key, "sign", lambda message: signed.append(message) or sign(message))
    world.grow(1, log="ten_b", start=1)
    world.sequencer.flush()
    assert [message.split(b"\n")[0] for message in signed] == [b"troth.test/log/ten_b", b"troth.test/log/meta"]
    _checked(world, "ten_a", 0)
    _checked(world, "ten_b", 1)


def test_the_operator_log_and_the_meta_log_have_plain_proofs(world: World) -> None:
    world.grow(2)
    assert world.publisher.resource("operator", "checkpoint")
    assert JointProof.parse(world.prover.proof("operator", 1)).meta is None
    world.grow(2, log="ten_a")
    assert ProofText.parse(world.prover.proof(META, 0)).index == 0


def test_what_is_shown_is_always_proven(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A death before the meta log is signed leaves the old checkpoint on show, with its proof."""
    world.grow(2, log="ten_a")
    before = world.prover.proof("ten_a", 1)
    world.wait_for(2, log="ten_a", start=2)
    sign = world.key.sign

    def dying(message: bytes) -> bytes:
        if message.startswith(b"troth.test/log/meta\n"):
            raise Unavailable("gone")
        return sign(message)

    with monkeypatch.context() as patch:
        patch.setattr(world.key, "sign", dying)
        with pytest.raises(Unavailable):
            world.sequencer.flush()
    assert world.prover.proof("ten_a", 1) == before
    with pytest.raises(Unavailable, match="signed checkpoint"):
        world.prover.proof("ten_a", 3)
    world.sequencer.flush()
    _checked(world, "ten_a", 3)


def test_logs_from_before_there_was_a_meta_log_enter_it_at_the_start(world: World) -> None:
    world.grow(2, log="ten_a")
    world.grow(1, log="ten_b")
    world.sequencer.stop()
    with owned(world.database) as connection:
        number = store.head(connection, META).number
        for table in ("audit_entries", "audit_tiles", "audit_logs"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE number = {number}")
    world.blobs.delete_all(list(world.blobs.names("tlog/meta/")))
    restarted = world.another()
    restarted.start()
    restarted.stop()
    assert world.reader.head(META).size == 2
    _checked(world, "ten_a", 1)
    again = world.another()
    again.start()
    again.stop()
    assert world.reader.head(META).size == 2  # what is vouched for is not vouched for twice


def test_many_logs_are_published_with_a_few_commits(world: World) -> None:
    for at in range(40):
        world.wait_for(1, log=f"ten_{at}")
    world.sequencer.integrate()
    commits: list[object] = []

    def count(connection: object) -> None:
        commits.append(connection)

    event.listen(world.database.engine, "commit", count)
    world.sequencer.flush()
    event.remove(world.database.engine, "commit", count)
    assert len(commits) <= 4
    last = open_checkpoint(world.reader.head(META).checkpoint, VerifierKey.parse(world.vkey(META)))
    assert last.size == 40
    assert {name.split("/")[1] for name in world.blobs.names("tlog/")} == {META, *(f"ten_{at}" for at in range(40))}
