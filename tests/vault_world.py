"""A world in which a vault stands on real keys, a real log and real files; nothing in it is a stand-in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from log_world import TestKey
from troth.audit.log import LogReader
from troth.audit.proofs import Prover
from troth.audit.sequencer import Sequencer
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Unavailable
from troth.kernel.personal import Forgotten, Holding
from troth.keys.fields import SealedFields
from troth.keys.roots.local import LocalRoot
from troth.keys.tree import Domain, KeyTree
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.storage.outbox import Outbox
from troth.vault.consent import Consents
from troth.vault.deadlines import Deadlines
from troth.vault.dual_control import Control
from troth.vault.erasure import Erasures
from troth.vault.erasure_steps import Steps, Witnesses
from troth.vault.export import Exporter
from troth.vault.ground import Ground
from troth.vault.holder import VaultHolder
from troth.vault.holds import Holds
from troth.vault.objects import KeepRequest, ObjectInfo, Objects
from troth.vault.restriction import Restrictions
from troth.vault.retention import Retention
from worlds import MovableClock

TENANT, OTHER = "ten_" + "a" * 26, "ten_" + "b" * 25 + "a"
ANN, BOB = "usr_" + "c" * 26, "usr_" + "d" * 25 + "a"
OFFICER, SECOND = "usr_" + "e" * 25 + "a", "usr_" + "f" * 25 + "a"


class LogEvidence:
    """Proofs from the real log, as the wiring binds them."""

    def __init__(self, sequencer: Sequencer, prover: Prover) -> None:
        self._sequencer = sequencer
        self._prover = prover

    def prove(self, log: str, request_id: str) -> str:
        self._sequencer.flush(log)
        found = self._prover.locate(log, request_id)
        if not found:
            raise Unavailable("The entry is not in the log yet; try again.")
        return self._prover.proof(log, found[-1])


@dataclass
class Notebook:
    """A second holder that keeps lines about people in memory: small, but it really forgets."""

    lines: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    name: str = "notebook"
    away: bool = False
    names_the_person: bool = False

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        kept = self.lines.get((tenant, subject), [])
        return [Holding(self.name, "line", f"line-{at}", "account", {"text": text}) for at, text in enumerate(kept)]

    def forget(self, tenant: str, subject: str) -> Forgotten:
        if self.away:
            raise Unavailable("The notebook is away.")
        dropped = self.lines.pop((tenant, subject), [])
        person = (subject,) if self.names_the_person else ()
        return Forgotten(self.name, (*person, *(f"line-{at}" for at in range(len(dropped)))))


@dataclass
class Keeper:
    """People whom their tenant needs as long as nobody else of them stays."""

    needed: set[str] = field(default_factory=set)
    made_late: set[str] = field(default_factory=set)

    def stands_apart(self, _connection: object, approver: str, _asker: str, _since: int) -> bool:
        return approver not in self.made_late

    def check_may_leave(self, _connection: object, _tenant: str, subject: str, leaving: Collection[str]) -> None:
        if subject in self.needed and not self.needed - {subject, *leaving}:
            raise Conflict("The tenant needs this person.", code="last-owner")


class VaultWorld:
    """Everything a vault needs, on real files below `folder`."""

    def __init__(self, database: Database, folder: Path, *, resume: bool = True) -> None:
        self.database = database
        self.folder = folder
        self.clock = MovableClock()
        self.key = TestKey()
        self.blobs = LocalBlobs(folder / "blobs")
        self.recorder = Outbox(database)
        self.sequencer = Sequencer(database, LocalBlobs(folder / "log"), self.key, self.clock)
        self.sequencer.integrate()  # takes the lead, as `start` does
        domain = Domain(LocalRoot(folder / "roots", "local"), LocalBlobs(folder / "pages"))
        self.tree = KeyTree(database, [domain], self.clock)
        if resume:
            self.tree.resume()
        self.guard = Keeper()
        self.control = Control(approval_above=2, bulk_delay_minutes=15)
        self.ground = Ground(database, self.blobs, self.tree, self.recorder, self.clock)
        self.build()

    def build(self) -> None:
        """The vault itself, on `self.ground`."""
        self.fields = SealedFields(self.tree, b"i" * 32)
        self.deadlines = Deadlines(self.ground, approval_above=self.control.approval_above)
        self.objects = Objects(
            self.ground, self.deadlines, blind_index=self.fields.blind_index, jurisdiction_of=lambda _tenant: "eu"
        )
        self.consents = Consents(self.ground, self.key, controller="Example Ltd")
        self.holds = Holds(self.ground)
        self.holder = VaultHolder(self.ground, self.objects, self.consents)
        self.log = LogReader(self.database)
        self.notebook = Notebook()
        self.evidence = LogEvidence(self.sequencer, Prover(self.database, self.sequencer.origins))
        self.witnesses = Witnesses([self.holder, self.notebook], self.evidence, self.key, "troth test")
        steps = Steps(self.ground, self.witnesses)
        self.erasures = Erasures(self.ground, steps, self.guard, control=self.control)
        self.restrictions = Restrictions(self.ground)
        self.retention = Retention(self.ground, self.deadlines, self.erasures)
        self.exporter = Exporter([self.holder, self.notebook], self.holder, self.clock)

    def close(self) -> None:
        self.recorder.close()
        self.sequencer.stop()

    def keep(self, content: bytes = b"content", **members: object) -> ObjectInfo:
        """Keep something of Ann's, unless told otherwise."""
        return self.objects.keep(request(content, **members))

    def erase(self, subject: str = ANN, tenant: str = TENANT, **members: object):  # type: ignore[no-untyped-def]
        return self.erasures.request(tenant, subject, actor=subject, request="req_erase", **members)  # type: ignore[arg-type]

    def keys(self) -> dict[str, bytes]:
        return {self.key.name: self.key.public_key}

    def log_key(self, tenant: str = TENANT) -> str:
        return str(self.sequencer.origins.key(tenant))

    def files(self) -> dict[Path, bytes]:
        """Every byte on disk."""
        return {path: path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}


def request(content: bytes = b"content", **members: object) -> KeepRequest:
    """A plain request; `members` replace its values."""
    values: dict[str, object] = {
        "tenant": TENANT,
        "subject": ANN,
        "data_class": DataClass.USER_GENERATED,
        "kind": "upload",
        "media_type": "text/plain",
        "name": "note.txt",
        "content": content,
    }
    return KeepRequest(**(values | members))  # type: ignore[arg-type]
