"""Checks a log as a stranger would: offline, from its public resources, with code that the log itself never runs.

Hashing and proofs are written here again, by RFC 9162 sections 2.1.3.2 and 2.1.4.2 (the iterative algorithms), so that
a mistake in `merkle` cannot hide itself. Everything raises `IntegrityError`; nothing returns a verdict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from troth.audit.checkpoint import Checkpoint, open_checkpoint
from troth.audit.note import VerifierKey
from troth.audit.proof_text import ProofText
from troth.audit.tiles import CHECKPOINT, WIDTH, Tile, unbundle
from troth.kernel.errors import IntegrityError, NotFound

Resource = Callable[[str], bytes]  # path -> bytes; raises NotFound


class LogBroken(IntegrityError):
    """An entry is not what the log's hashes say. `first` and `last` bound the entries that can be meant."""

    def __init__(self, what: str, first: int, last: int | None = None) -> None:
        where = f"Entry {first}" if last in (None, first) else f"One of the entries {first} to {last}"
        super().__init__(f"{where}: {what}", code="log-broken", field=str(first))
        self.first = first
        self.last = first if last is None else last


@dataclass(frozen=True, slots=True)
class Audited:
    """A log that held: every entry of it was read and hashed."""

    origin: str
    size: int
    root: bytes


def verify_proof(proof_text: str, leaf: bytes, log_vkey: str) -> int:
    """Check a `.tlog-proof` for `leaf` against the log's key; gives the entry's index. Raises `IntegrityError`."""
    proof = ProofText.parse(proof_text)
    checkpoint = open_checkpoint(proof.checkpoint, VerifierKey.parse(log_vkey))
    verify_inclusion(checkpoint, proof.index, _leaf(leaf), proof.path)
    return proof.index


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


def verify_log(source: Path | Resource, vkey: str, *, trusted: bytes | None = None) -> Audited:
    """Read every entry and tile of a tlog-tiles log and hash it again, up to its signed checkpoint.

    `source` is a folder or gives a resource by path. `trusted` is a checkpoint that the reader kept from before: the
    log must contain it, or it was rolled back or rewritten. Raises `LogBroken` naming the first bad entry, or
    `IntegrityError`.
    """
    read = folder(source) if isinstance(source, Path) else source
    key = VerifierKey.parse(vkey)
    checkpoint = open_checkpoint(_resource(read, CHECKPOINT), key)
    earlier = None if trusted is None else open_checkpoint(trusted, key)
    if earlier is not None and earlier.size > checkpoint.size:
        raise _fork(f"The log ends at {checkpoint.size}, yet it was signed at {earlier.size}: it was rolled back.")
    audit = _Audit(read, checkpoint.size, None if earlier is None else earlier.size)
    root = audit.run()
    if root != checkpoint.root:
        raise LogBroken("the entries do not lead to the signed root.", audit.unproven, max(checkpoint.size - 1, 0))
    if earlier is not None and audit.earlier_root != earlier.root:
        raise _fork(f"The first {earlier.size} entries are not those that were signed: the log was rewritten.")
    return Audited(checkpoint.origin, checkpoint.size, root)


def folder(root: Path) -> Resource:
    """Resources from a folder in the tlog-tiles layout."""

    def read(path: str) -> bytes:
        try:
            return (root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound("There is no such file in the folder.") from error

    return read


class _Audit:
    """One pass over all entries. Level by level: what a full tile hashes to must stand in the tile above it."""

    def __init__(self, read: Resource, size: int, earlier: int | None) -> None:
        self._read = read
        self._size = size
        self._earlier = earlier
        self.earlier_root: bytes | None = _stacked([]) if earlier == 0 else None
        self.unproven = 0  # first entry that no full tile above it vouches for

    def run(self) -> bytes:
        """The root over all entries, once they agree with all tiles."""
        stack: list[tuple[int, bytes]] = []  # (height, hash) of perfect subtrees, largest first
        above: list[bytes] = []  # the roots of the full level-0 tiles
        for number in range(-(-self._size // WIDTH)):
            start = number * WIDTH
            hashes = self._entries(number, min(WIDTH, self._size - start))
            if self._earlier is not None and start < self._earlier <= start + len(hashes):
                self.earlier_root = _stacked([*stack, *((0, one) for one in hashes[: self._earlier - start])])
            if len(hashes) == WIDTH:
                above.append(_stacked([(0, one) for one in hashes]))
                _push(stack, 8, above[-1])
            else:
                stack += [(0, one) for one in hashes]
        self._levels(above)
        return _stacked(stack)

    def _entries(self, number: int, width: int) -> list[bytes]:
        """The leaf hashes of one bundle, each compared with the level-0 tile."""
        start = number * WIDTH
        content = self._tile(Tile(None, number, width), start)
        try:
            entries = unbundle(content)
        except IntegrityError as error:
            raise LogBroken("the bundle that holds it cannot be read.", start, start + width - 1) from error
        if len(entries) > width:
            entries = entries[:width]  # a full bundle served in the place of a partial one
        hashes = [_leaf(entry) for entry in entries]
        row = self._hashes(0, number, width, start)
        for at, (one, expected) in enumerate(zip(hashes, row, strict=False)):
            if one != expected:
                raise LogBroken("its bytes do not have the hash that the log committed to.", start + at)
        if len(hashes) < width:
            raise LogBroken("it is missing.", start + len(hashes))
        return hashes

    def _levels(self, nodes: list[bytes]) -> None:
        """Compare the roots of full tiles with the tiles above them, up to the top."""
        level, span = 1, WIDTH
        while nodes:
            above = []
            for number in range(-(-len(nodes) // WIDTH)):
                mine = nodes[number * WIDTH : (number + 1) * WIDTH]
                start = number * WIDTH * span
                for at, (one, expected) in enumerate(
                    zip(mine, self._hashes(level, number, len(mine), start), strict=True)
                ):
                    if one != expected:
                        first = start + at * span
                        raise LogBroken("the tile above does not vouch for them.", first, first + span - 1)
                if len(mine) == WIDTH:
                    above.append(_stacked([(0, one) for one in mine]))
            nodes, level, span = above, level + 1, span * WIDTH

    def _hashes(self, level: int, number: int, width: int, first: int) -> list[bytes]:
        row = self._tile(Tile(level, number, width), first)[: width * 32]
        if len(row) != width * 32:
            raise LogBroken(f"a tile of level {level} over it is cut short.", first)
        return [row[at : at + 32] for at in range(0, len(row), 32)]

    def _tile(self, tile: Tile, first: int) -> bytes:
        """The bytes of a tile; a log may have replaced a partial one by the full one."""
        for path in dict.fromkeys((tile.path, Tile(tile.level, tile.number).path)):
            try:
                return self._read(path)
            except NotFound:
                continue
        raise LogBroken(f"the resource {tile.path} is missing.", first)


def _resource(read: Resource, path: str) -> bytes:
    try:
        return read(path)
    except NotFound as error:
        raise IntegrityError(f"The log has no {path}; ask its owner for the whole log.", code="missing") from error


def _push(stack: list[tuple[int, bytes]], height: int, node: bytes) -> None:
    while stack and stack[-1][0] == height:
        node = _node(stack.pop()[1], node)
        height += 1
    stack.append((height, node))


def _stacked(parts: Sequence[tuple[int, bytes]]) -> bytes:
    """The tree hash over subtrees from left to right."""
    stack: list[tuple[int, bytes]] = []
    for height, node in parts:
        _push(stack, height, node)
    if not stack:
        return hashlib.sha256(b"").digest()
    root = stack.pop()[1]
    while stack:
        root = _node(stack.pop()[1], root)
    return root


def _leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _fork(advice: str) -> IntegrityError:
    return IntegrityError(advice, code="fork")
