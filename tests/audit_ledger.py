"""What the owners of killed processes remember of a log, and whether it holds: the judge of the fault tests.

It hashes by itself, word for word after RFC 6962 section 2.1, and reads tables and files, not the log's own code.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, select

from troth.audit.meta import META
from troth.audit.store import entries, logs
from troth.storage.claims import request_claim
from troth.storage.database import Database
from troth.storage.outbox import outbox


def naive_root(leaves: list[bytes], made: dict[tuple[int, int], bytes]) -> bytes:
    """The tree hash of leaf hashes; `made` keeps what does not change any more, the whole subtrees by their place."""

    def over(start: int, end: int) -> bytes:
        if end - start == 1:
            return leaves[start]
        if (start, end) in made:
            return made[start, end]
        split = 1 << (end - start - 1).bit_length() - 1
        found = sha256(b"\x01" + over(start, start + split) + over(start + split, end)).digest()
        if end - start == split * 2:
            made[start, end] = found
        return found

    return over(0, len(leaves)) if leaves else sha256(b"").digest()


@dataclass
class _Log:
    leaves: list[bytes] = field(default_factory=list)  # hashes
    made: dict[tuple[int, int], bytes] = field(default_factory=dict)
    signed: dict[int, bytes] = field(default_factory=dict)  # every size that was ever signed -> root


class Ledger:
    """Everything acknowledged, placed or signed in any round; `look` raises AssertionError when something is lost."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._logs: dict[str, _Log] = {}
        self._placed: Counter[str] = Counter()
        self._claims: set[bytes] = set()
        self.acknowledged: dict[str, str] = {}  # request -> log

    @property
    def signatures(self) -> int:
        """Checkpoints seen."""
        return sum(len(log.signed) for log in self._logs.values())

    def look(self, database: Database, *, whole: bool = True) -> None:
        """Compare what stands in tables and files with what is remembered, and remember it.

        Unless `whole`, of the entries only those that are new since the last look.
        """
        with database.read() as connection:
            waiting = self._waiting(connection)
            heads = {row.log: row for row in connection.execute(select(logs))}
            for name, head in heads.items():
                self._grown(connection, name, head, whole=whole)
            claimed = {bytes(one) for one in connection.scalars(select(request_claim.c.digest))}
        assert set((self._placed + waiting).values()) <= {1}, "an entry stands twice"
        lost = self.acknowledged.keys() - self._placed.keys() - waiting.keys()
        assert not lost, f"{len(lost)} acknowledged entries are lost"
        assert claimed == self._claims | self._claiming, "a change and its entry did not share their fate"
        for name in self._logs:
            self._checkpoints(name, heads)

    def _waiting(self, connection: Connection) -> Counter[str]:
        self._claiming: set[bytes] = set()
        found: Counter[str] = Counter()
        for log, leaf in connection.execute(select(outbox.c.log, outbox.c.leaf)):
            found[self._request(str(log), bytes(leaf), self._claiming)] += 1
        return found

    def _request(self, log: str, leaf: bytes, claims: set[bytes]) -> str:
        members = json.loads(leaf)
        request = str(members["request"])
        assert members["log"] == log
        assert self.acknowledged.get(request, log) == log
        if members["op"] == "claim.made":
            claims.add(sha256(request.encode()).digest())
        return request

    def _grown(self, connection: Connection, name: str, head, *, whole: bool) -> None:  # type: ignore[no-untyped-def]
        """Old entries are what they were, new ones follow without a gap, and they lead to the head's root."""
        log = self._logs.setdefault(name, _Log())
        known = len(log.leaves)
        count = 0 if whole else known
        mine = entries.c.number == head.number, entries.c.position >= count
        found = select(entries.c.position, entries.c.leaf).where(*mine)
        for position, leaf in connection.execute(found.order_by(entries.c.position)):
            assert position == count
            count += 1
            digest = sha256(b"\x00" + bytes(leaf)).digest()
            if position < known:
                assert log.leaves[position] == digest, f"entry {position} changed"
                continue
            log.leaves.append(digest)
            if name != META:  # whose entries are digests that nobody waits for
                self._placed[self._request(name, bytes(leaf), self._claims)] += 1
        assert count == head.size >= known, "entries were taken away"
        assert naive_root(log.leaves, log.made) == bytes(head.root)

    def _checkpoints(self, name: str, heads) -> None:  # type: ignore[no-untyped-def]
        """What is signed anywhere is a prefix of the log, and no place is ahead of one that moves before it."""
        places = [self._folder / place / "tlog" / name / "checkpoint" for place in ("guard", "blobs")]
        notes = [path.read_bytes() if path.exists() else None for path in places]
        log, sizes = self._logs[name], []
        for note in [*notes, heads[name].checkpoint]:
            _, size, root = (bytes(note) if note else b"\n0\n\n").split(b"\n")[:3]
            sizes.append(int(size))
            if note and int(size) not in log.signed:
                log.signed[int(size)] = naive_root(log.leaves[: int(size)], log.made)
            assert not note or log.signed[int(size)] == base64.b64decode(root), "what was signed is not what stands"
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] == max(log.signed, default=0), "a checkpoint was taken back"

    def settled(self) -> None:
        """At the end, with nothing waiting: all that was acknowledged stands in its log, exactly once."""
        assert {self._placed[request] for request in self.acknowledged} <= {1}
