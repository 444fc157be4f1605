"""The twelve ways to bend a log: each is done to a real exported log, beside the honest one that must hold."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from log_verifiers import Given, Refused, Verifier
from log_world import TestKey, World
from troth.audit.checkpoint import Checkpoint, signed
from troth.audit.export import export_log
from troth.audit.merkle import HASH_BYTES, leaf_hash
from troth.audit.note import VerifierKey
from troth.audit.proof_text import JointProof, ProofText
from troth.audit.tiles import bundle, unbundle
from troth.audit.tree import TiledTree

LOG, OTHER = "ten_a", "ten_b"
SIZE, MORE = 700, 30
_FULL = "tile/entries/001"
BAD = 265  # the entry that is tampered with


@dataclass(frozen=True)
class Bent:
    """What was honest, what was done to it, and how a verifier must say so."""

    honest: Given
    bent: Given
    says: str
    first: int | None = None


@dataclass
class Logs:
    """The logs of two tenants, exported early and late, and copies of them to bend."""

    world: World
    scratch: Path
    numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        for log in (LOG, OTHER):
            self.world.grow(SIZE, log=log, actor=f"usr_{log}")
        export_log(self.world.resource(LOG), self.scratch / "early")
        self.world.grow(MORE, log=LOG, start=SIZE)
        for log in (LOG, OTHER):
            export_log(self.world.resource(log), self.scratch / log)
        self.honest = Given(self.world.vkey(LOG), self.scratch / LOG)

    def copy(self, name: str, source: str = LOG) -> Path:
        """A copy to bend."""
        made = self.scratch / "bent" / f"{next(self.numbers)}-{name}"
        shutil.copytree(self.scratch / source, made)
        return made

    def entries(self, name: str, change: Callable[[list[bytes]], list[bytes]], says: str = "hash") -> Bent:
        """The full bundle with its entries changed."""
        folder = self.copy(name)
        file = folder / _FULL
        file.write_bytes(bundle(change(unbundle(file.read_bytes()))))
        return Bent(self.honest, replace(self.honest, folder=folder), says, BAD)

    def proof(self, name: str, text: str, leaf: bytes) -> Given:
        """A proof and its entry as files."""
        folder = self.scratch / "proofs" / f"{next(self.numbers)}-{name}"
        folder.mkdir(parents=True)
        (folder / "proof").write_text(text)
        (folder / "leaf").write_bytes(leaf)
        return Given(self.world.vkey(LOG), proof=folder / "proof", leaf=folder / "leaf")

    def rewritten(self, folder: Path, change: Callable[[list[bytes]], list[bytes]], key: TestKey) -> None:
        """Another history: entries, every tile, and a checkpoint signed with that key under the log's own name."""
        names = sorted((folder / "tile/entries").rglob("*"))
        leaves = change([one for path in names if path.is_file() for one in unbundle(path.read_bytes())])
        shutil.rmtree(folder / "tile")
        tree = TiledTree()
        for write in tree.extend(map(leaf_hash, leaves)):
            self._tile(folder, str(write.level), write.tile, write.hashes, len(write.hashes) // HASH_BYTES)
        for start in range(0, len(leaves), 256):
            part = leaves[start : start + 256]
            self._tile(folder, "entries", start // 256, bundle(part), len(part))
        name = VerifierKey.parse(self.world.vkey(LOG)).name
        signer = VerifierKey(name, key.public_key)
        checkpoint = Checkpoint(name, tree.size, tree.root())
        (folder / "checkpoint").write_bytes(signed(checkpoint, signer, key.sign(checkpoint.text().encode())))

    @staticmethod
    def _tile(folder: Path, level: str, number: int, content: bytes, width: int) -> None:
        path = folder / "tile" / level / (f"{number:03d}" + (f".p/{width}" if width < 256 else ""))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


_IN = BAD - 256


def edit(logs: Logs) -> Bent:
    return logs.entries("edit", lambda own: [*own[:_IN], own[_IN].replace(b"open", b"opem"), *own[_IN + 1 :]])


def delete(logs: Logs) -> Bent:
    return logs.entries("delete", lambda own: own[:_IN] + own[_IN + 1 :])


def insert(logs: Logs) -> Bent:
    return logs.entries("insert", lambda own: [*own[:_IN], b'{"op":"new"}', *own[_IN:-1]])


def reorder(logs: Logs) -> Bent:
    return logs.entries("reorder", lambda own: [*own[:_IN], own[_IN + 1], own[_IN], *own[_IN + 2 :]])


def truncate(logs: Logs) -> Bent:
    """The end cut off, bundle and tile alike; the checkpoint stays."""
    folder = logs.copy("truncate")
    for level, width in (("entries", None), ("0", 5 * HASH_BYTES)):
        file = folder / f"tile/{level}/002.p/{SIZE + MORE - 512}"
        content = file.read_bytes()
        file.write_bytes(content[:width] if width else bundle(unbundle(content)[:5]))
    return Bent(logs.honest, replace(logs.honest, folder=folder), "cut short", 512)


def fork(logs: Logs) -> Bent:
    """Another history under the log's own key, for somebody who kept a checkpoint."""
    kept = (logs.scratch / "early" / "checkpoint",)
    folder = logs.copy("fork")
    logs.rewritten(folder, lambda own: [*own[:BAD], b"{}", *own[BAD + 1 :]], logs.world.key)
    honest = replace(logs.honest, trusted=kept)
    return Bent(honest, replace(honest, folder=folder), "rewritten")


def rollback(logs: Logs) -> Bent:
    """The whole log put back to an earlier state, as a restored backup does."""
    honest = replace(logs.honest, trusted=(logs.scratch / LOG / "checkpoint",))
    return Bent(honest, replace(honest, folder=logs.copy("rollback", "early")), "rolled back")


def replayed_checkpoint(logs: Logs) -> Bent:
    """Only the checkpoint is an old one: what was added since is hidden."""
    honest = replace(logs.honest, trusted=(logs.scratch / LOG / "checkpoint",))
    folder = logs.copy("replayed")
    shutil.copy(logs.scratch / "early" / "checkpoint", folder / "checkpoint")
    return Bent(honest, replace(honest, folder=folder), "rolled back")


def forged_proof(logs: Logs) -> Bent:
    """A true proof made to speak of another place."""
    joint, leaf = JointProof.parse(logs.world.prover.proof(LOG, 123)), logs.world.reader.entry(LOG, 123)
    forged = JointProof(ProofText(124, joint.entry.path, joint.entry.checkpoint), joint.meta)
    honest = logs.proof("true", str(joint), leaf)
    return Bent(honest, logs.proof("forged", str(forged), leaf), "signed root", 124)


def swapped_tile(logs: Logs) -> Bent:
    folder = logs.copy("swapped")
    first, second = folder / "tile/0/000", folder / "tile/0/001"
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    return Bent(logs.honest, replace(logs.honest, folder=folder), "hash", 0)


def wrong_key(logs: Logs) -> Bent:
    """A history that a stranger signed, under the log's name."""
    folder = logs.copy("key")
    logs.rewritten(folder, lambda own: own[:-1], TestKey(seed=b"\x09" * 32))
    return Bent(logs.honest, replace(logs.honest, folder=folder), "trusted key")


def cross_tenant_splice(logs: Logs) -> Bent:
    """Another tenant's entries, signed by the same installation, in the place of this one's."""
    folder = logs.copy("splice")
    for level in ("entries", "0"):
        shutil.copy(logs.scratch / OTHER / f"tile/{level}/001", folder / f"tile/{level}/001")
    return Bent(logs.honest, replace(logs.honest, folder=folder), "does not vouch", 256)


CLASSES = (
    edit,
    delete,
    insert,
    reorder,
    truncate,
    fork,
    rollback,
    replayed_checkpoint,
    forged_proof,
    swapped_tile,
    wrong_key,
    cross_tenant_splice,
)


def require_caught(verifier: Verifier, case: Bent) -> None:
    """The honest log holds, and the bent one is refused for its own reason, naming its entry. Raises AssertionError."""
    verifier.check(case.honest)
    try:
        verifier.check(case.bent)
    except Refused as refusal:
        assert case.says in str(refusal), f"refused for another reason: {refusal}"
        assert case.first in (None, refusal.first), f"named entry {refusal.first}, not {case.first}"
    else:
        raise AssertionError("A bent log was accepted.")
