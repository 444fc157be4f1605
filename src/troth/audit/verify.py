"""Checks a log as a stranger would: offline, from its public resources, with code that the log itself never runs.

Hashing and proofs are written here and in `reaudit` again, by RFC 9162 sections 2.1.3.2 and 2.1.4.2 (the iterative
algorithms), so that a mistake in `merkle` cannot hide itself; tests/architecture/test_verifier_alone.py lists all that
this module imports. Everything raises `IntegrityError`; what comes back says what was looked at, and what was not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from troth.audit.checkpoint import Checkpoint, open_checkpoint
from troth.audit.log_source import folder
from troth.audit.note import Note, VerifierKey, parse_note, verified_signers
from troth.audit.proof_text import JointProof
from troth.audit.reaudit import LogBroken, Progress, Reaudit, Resource
from troth.audit.signature_kinds import ED25519
from troth.audit.tiles import CHECKPOINT
from troth.audit.tlog_policy import NONE, TlogPolicy
from troth.kernel.errors import IntegrityError, Invalid, NotFound

__all__ = [
    "Audited",
    "LogBroken",
    "Proven",
    "Trust",
    "verify_consistency",
    "verify_inclusion",
    "verify_joint",
    "verify_log",
    "verify_proof",
]


@dataclass(frozen=True, slots=True)
class Audited:
    """A log that held, and how much of it was looked at.

    `read` entries were hashed (fewer than `size` only below the log's minimum index); `compared` is the size of the
    trusted checkpoint that the log contains, None when none was given; `witnesses` are the names, in the policy, of
    those who cosigned, and `witnessed` the size up to which a quorum of them did (None: no policy asked for one).
    """

    origin: str
    size: int
    root: bytes
    read: int = 0
    compared: int | None = None
    witnessed: int | None = None
    witnesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry that stands in a log: where, and who else saw that log.

    `meta_index` is the place of the log's checkpoint in the meta log, None for a proof without that part.
    """

    origin: str
    index: int
    size: int
    meta_index: int | None = None
    witnesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a verifier believes: a log's key, a policy of logs and witnesses, or a key under a policy's quorum."""

    key: VerifierKey | None = None
    policy: TlogPolicy | None = None

    def __post_init__(self) -> None:
        if self.key is None and self.policy is None:
            raise Invalid("Say whom you trust: the log's key, a policy, or both.", code="no-trust")

    def signed(self, content: bytes) -> Checkpoint:
        """A checkpoint by its log's signature alone. Raises `IntegrityError`."""
        return open_checkpoint(content, self.key or self.listed(content))

    def witnessed(self, content: bytes, key: VerifierKey | None = None) -> Checkpoint:
        """A checkpoint signed by its log (or by `key`) and by the policy's quorum. Raises `IntegrityError`."""
        key = key or self.key or self.listed(content)
        return open_checkpoint(content, key) if self.policy is None else self.policy.require(content, log=key)

    def witnesses(self, content: bytes) -> tuple[str, ...]:
        """The names, in the policy, of the witnesses whose cosignatures hold."""
        if self.policy is None:
            return ()
        signers = verified_signers(parse_note(content), [one.key for one in self.policy.witnesses])
        return tuple(one.name for one in self.policy.witnesses if one.key in signers)

    @property
    def ed25519(self) -> VerifierKey:
        """The key that signs logs and documents of the installation. Raises `Invalid` when none is given."""
        listed = [one.key for one in self.policy.logs] if self.policy else []
        for key in [*([self.key] if self.key else []), *listed]:
            if key.kind == ED25519:
                return key
        raise Invalid("Give an Ed25519 verifier key of the log.", code="no-trust")

    def of_log(self, log: str) -> VerifierKey:
        """The key of another log of the installation: all share one public key, each under its own name."""
        key = self.ed25519
        return VerifierKey(f"{_host(key.name)}/log/{log}", key.public_key)

    @property
    def quorum(self) -> bool:
        """True when the policy asks for any witness."""
        return self.policy is not None and self.policy.quorum != NONE

    def listed(self, content: bytes) -> VerifierKey:
        """The policy's key for the log that a checkpoint names; all logs of an installation share one key."""
        origin = Checkpoint.parse(parse_note(content).text).origin
        for one in self.policy.logs if self.policy else ():
            if one.key.kind == ED25519 and _host(one.key.name) == _host(origin):
                return VerifierKey(origin, one.key.public_key)
            if one.key.name == origin:
                return one.key
        raise IntegrityError("The policy names no log of this checkpoint's installation.", code="unknown-log")


def verify_proof(proof_text: str, leaf: bytes, log_vkey: str) -> int:
    """Check a `.tlog-proof` for `leaf` against the log's key; gives the entry's index. Raises `IntegrityError`.

    Of a joint proof, the part about the meta log must hold too; witnesses are asked for by `verify_joint` only.
    """
    return verify_joint(proof_text, leaf, Trust(VerifierKey.parse(log_vkey))).index


def verify_joint(proof_text: str, leaf: bytes, trust: Trust) -> Proven:
    """Check the proof of an entry: in its log and, for a joint proof, that log's checkpoint in the meta log.

    A policy's quorum must stand under the last checkpoint. Raises `IntegrityError`.
    """
    proof = JointProof.parse(proof_text)
    checkpoint = _joined(proof, trust)
    verify_inclusion(checkpoint, proof.entry.index, _leaf(leaf), proof.entry.path)
    meta = None if proof.meta is None else proof.meta.index
    witnesses = trust.witnesses((proof.meta or proof.entry).checkpoint)
    return Proven(checkpoint.origin, proof.entry.index, checkpoint.size, meta, witnesses)


def _joined(proof: JointProof, trust: Trust) -> Checkpoint:
    """The checkpoint of a tenant's log, once the meta log's checkpoint holds and contains it."""
    if proof.meta is None:
        return trust.witnessed(proof.entry.checkpoint)
    checkpoint = trust.signed(proof.entry.checkpoint)
    log_key = trust.key or trust.listed(proof.entry.checkpoint)
    note = parse_note(proof.entry.checkpoint)
    own = [one for one in note.signatures if (one.name, one.key_id) == (log_key.name, log_key.key_id)]
    if len(own) != 1:
        raise IntegrityError("A checkpoint in the meta log bears its log's signature once.", code="bad-checkpoint")
    above = trust.witnessed(proof.meta.checkpoint, Trust(log_key).of_log("meta"))
    digest = hashlib.sha256(Note(note.text, (own[0],)).encode()).digest()
    verify_inclusion(above, proof.meta.index, _leaf(digest), proof.meta.path)
    return checkpoint


def _host(name: str) -> str:
    return name.rpartition("/log/")[0] or name


def verify_inclusion(checkpoint: Checkpoint, index: int, leaf_hash: bytes, path: Sequence[bytes]) -> None:
    """RFC 9162 section 2.1.3.2. Raises `LogBroken`, naming the index."""
    if not 0 <= index < checkpoint.size:
        raise LogBroken("it is not in a tree of that size.", index)
    at, last, node = index, checkpoint.size - 1, leaf_hash
    for sibling in path:
        if last == 0:
            raise LogBroken("the proof is longer than the tree is high.", index)
        if at & 1 or at == last:
            node = _node(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = _node(node, sibling)
        at, last = at >> 1, last >> 1
    if last or node != checkpoint.root:
        raise LogBroken("the proof does not lead from it to the signed root.", index)


def verify_consistency(old: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
    """RFC 9162 section 2.1.4.2: `old` is the beginning of `new`. Raises `IntegrityError`."""
    if old.origin != new.origin:
        raise _fork("The two checkpoints are of different logs.")
    if not 0 < old.size <= new.size:
        raise _fork("A log never shrinks, and an empty one proves nothing.")
    if old.size == new.size:
        if proof or old.root != new.root:
            raise _fork("Two checkpoints of one size have different roots.")
        return
    hashes = [old.root, *proof] if old.size & (old.size - 1) == 0 else list(proof)
    if not hashes:
        raise _fork("The consistency proof is empty.")
    _walk_consistency(old, new, hashes)


def _walk_consistency(old: Checkpoint, new: Checkpoint, hashes: Sequence[bytes]) -> None:
    at, last = old.size - 1, new.size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            raise _fork("The consistency proof is too long.")
        if at & 1 or at == last:
            before, after = _node(one, before), _node(one, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = _node(after, one)
        at, last = at >> 1, last >> 1
    if last or before != old.root or after != new.root:
        raise _fork("The consistency proof does not join the two roots: the log was rewritten.")


def verify_log(
    source: Path | Resource,
    trust: str | Trust,
    *,
    trusted: bytes | Sequence[bytes] | None = None,
    witnessed: str | None = None,
    minimum: int = 0,
    progress: Progress | None = None,
) -> Audited:
    """Read every entry and tile of a tlog-tiles log and hash it again, up to its signed checkpoint.

    `source` is a folder or gives a resource by path; `trust` may be a verifier key. `trusted` are checkpoints that the
    reader kept from before: the log must contain each, or it was rolled back or rewritten. `witnessed` is a joint
    proof of any entry: the quorum is then asked of the meta log's checkpoint in it, and the log must contain what it
    covers. What ends at or below `minimum` may be pruned. Raises `LogBroken` naming the first bad entry, or
    `IntegrityError`.
    """
    read = folder(source) if isinstance(source, Path) else source
    trust = Trust(VerifierKey.parse(trust)) if isinstance(trust, str) else trust
    content = _resource(read, CHECKPOINT)
    joint = None if witnessed is None else JointProof.parse(witnessed)
    checkpoint = trust.witnessed(content) if joint is None else trust.signed(content)
    kept = [trust.signed(one) for one in ([trusted] if isinstance(trusted, bytes) else trusted or ())]
    covered = None if joint is None else _joined(joint, trust)
    earlier = kept if covered is None else [*kept, covered]
    for one in earlier:
        _require_not_behind(checkpoint, one)
    audit = Reaudit(read, checkpoint.size, minimum=minimum, earlier={one.size for one in earlier})
    root = audit.run(progress)
    if root != checkpoint.root:
        raise LogBroken("the entries do not lead to the signed root.", 0, max(checkpoint.size - 1, 0))
    for one in earlier:
        _require_contained(one, audit.root_of(one.size))
    last = (joint.meta or joint.entry).checkpoint if joint else content
    return Audited(
        checkpoint.origin,
        checkpoint.size,
        root,
        audit.read,
        max((one.size for one in kept), default=None),
        (covered or checkpoint).size if trust.quorum else None,
        trust.witnesses(last),
    )


def _require_not_behind(checkpoint: Checkpoint, earlier: Checkpoint) -> None:
    if earlier.origin != checkpoint.origin:
        raise _fork("The two checkpoints are of different logs.")
    if earlier.size > checkpoint.size:
        raise _fork(f"The log ends at {checkpoint.size}, yet it was signed at {earlier.size}: it was rolled back.")


def _require_contained(earlier: Checkpoint, root: bytes | None) -> None:
    if root is None:
        raise _fork(f"The log was pruned beyond your checkpoint of {earlier.size} entries; compare with a newer one.")
    if root != earlier.root:
        raise _fork(f"The first {earlier.size} entries are not those that were signed: the log was rewritten.")


def _resource(read: Resource, path: str) -> bytes:
    try:
        return read(path)
    except NotFound as error:
        raise IntegrityError(f"The log has no {path}; ask its owner for the whole log.", code="missing") from error


def _leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _fork(advice: str) -> IntegrityError:
    return IntegrityError(advice, code="fork")
