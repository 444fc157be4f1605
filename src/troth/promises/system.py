"""What checks may look at: the parts of one running installation. Filled by `wiring`, never by a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from troth.access.policy import CedarDecider
from troth.audit.log import LogReader
from troth.audit.origins import Origins
from troth.audit.proofs import Prover
from troth.audit.sequencer import Sequencer
from troth.gateway.provenance import Credentials
from troth.kernel.clock import Clock
from troth.kernel.dispatch import Dispatcher
from troth.kernel.operation import Registry
from troth.kernel.personal import Holder
from troth.kernel.record import Recorder
from troth.kernel.signer import Signer
from troth.keys.tree import KeyTree
from troth.storage.blobs import BlobStore
from troth.storage.database import Database
from troth.vault.consent import Consents
from troth.vault.erasure import Erasures
from troth.vault.objects import Objects


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the HTTPS door listens and with which files; `authority` is None for a public one."""

    host: str
    port: int
    name: str
    authority: Path | None
    certificate: Path
    private_key: Path


@dataclass(frozen=True, slots=True)
class System:
    """One installation. `listener` is None for a command that runs without the door."""

    registry: Registry
    dispatcher: Dispatcher
    decider: CedarDecider
    database: Database
    blobs: BlobStore
    recorder: Recorder
    clock: Clock
    signer: Signer
    tree: KeyTree
    objects: Objects
    consents: Consents
    erasures: Erasures
    holders: tuple[Holder, ...]
    reader: LogReader
    prover: Prover
    origins: Origins
    sequencer: Sequencer
    credentials: Credentials
    data_folder: Path
    keys_folder: Path
    jurisdiction: str
    assurance: tuple[str, ...]  # of each key domain: A0 software, A1 service, A2 hardware
    probe_person: Callable[[], tuple[str, str]]  # a fresh synthetic person in the probe tenant: (tenant, subject)
    listener: Callable[[], Listener | None]
