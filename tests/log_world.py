"""A world in which a log grows: database, object store, key, sequencer. PostgreSQL joins when a URL is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert

from troth.audit.log import LogPublisher, LogReader
from troth.audit.proofs import Prover
from troth.audit.sequencer import Sequencer
from troth.kernel.record import Entry, Outcome
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.storage.outbox import outbox, row
from worlds import MovableClock


class TestKey:
    """An Ed25519 key in memory, as `kernel.signer.Signer`."""

    __test__ = False

    def __init__(self, name: str = "troth.test", seed: bytes = b"\x07" * 32) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.name = name

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


@dataclass
class World:
    """Everything a log needs, on real files."""

    database: Database
    blobs: LocalBlobs
    folder: Path
    clock: MovableClock = field(default_factory=MovableClock)
    key: TestKey = field(default_factory=TestKey)

    def __post_init__(self) -> None:
        self.sequencer = self.another()
        self.reader = LogReader(self.database)
        self.prover = Prover(self.database, self.sequencer.origins)
        self.publisher = LogPublisher(self.database)

    def another(self, blobs: LocalBlobs | None = None, guard: LocalBlobs | None = None) -> Sequencer:
        """A second sequencer, as a second process would build it."""
        return Sequencer(self.database, blobs or self.blobs, self.key, self.clock, guard=guard)

    def wait_for(self, count: int, log: str = "operator", start: int = 0, **members: object) -> None:
        """Put entries into the outbox, as operations do."""
        rows = [row(entry(log, number, **members)) for number in range(start, start + count)]
        with self.database.write() as connection:
            connection.execute(insert(outbox), rows)

    def grow(self, count: int, log: str = "operator", start: int = 0, **members: object) -> None:
        """Entries in the log, under a signed checkpoint."""
        self.wait_for(count, log, start, **members)
        self.sequencer.flush()

    def vkey(self, log: str = "operator") -> str:
        return str(self.sequencer.origins.key(log))

    def resource(self, log: str = "operator"):  # type: ignore[no-untyped-def]
        return partial(self.publisher.resource, log)

    def leaves(self, log: str = "operator") -> list[bytes]:
        return [one.leaf for one in self.reader.entries(log, 0, 1000)]


def entry(log: str, number: int, **members: object) -> Entry:
    """Entry `number` of a log; `members` replace the plain values."""
    values: dict[str, object] = {
        "operation": "object.open",
        "phase": "closed",
        "outcome": Outcome.DONE,
        "request": f"req_{number}",
        "actor": "usr_a",
        "tenant": None if log == "operator" else log,
        "time": 1_700_000_000_000 + number,
    }
    return Entry(log=log, **(values | members))  # type: ignore[arg-type]
