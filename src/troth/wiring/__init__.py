"""Builds one installation from its settings. The only package that constructs things; no container, no global."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from troth.access.policy import CedarDecider
from troth.audit.log import LogPublisher
from troth.audit.operations import AuditOperations
from troth.backup.operations import BackupOperations
from troth.kernel.clock import Clock, SystemClock
from troth.kernel.data_class import DataClass
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import NotFound, TrothError
from troth.kernel.journal import Journal
from troth.kernel.operation import Registry
from troth.kernel.scope import SYSTEM, as_system, within
from troth.keys.domain_operations import KeyDomainOperations
from troth.keys.operations import KeyOperations
from troth.promises.checks import all_checks
from troth.promises.operations import PromiseOperations
from troth.promises.runner import Runner
from troth.promises.system import System
from troth.settings.load import Settings
from troth.storage.claims import Claims
from troth.vault.inventory import Copies
from troth.vault.moving.arriving import Arriving
from troth.vault.moving.departure import Departure
from troth.wiring.backup import build_backups
from troth.wiring.base import build_base
from troth.wiring.gateway import build_gateway
from troth.wiring.identity import build_identity
from troth.wiring.keys import build_incidents
from troth.wiring.mail import build_mail
from troth.wiring.moving import arriving, departure
from troth.wiring.vault import build_vault


@dataclass(frozen=True, slots=True)
class Troth:
    """One installation, built. `start` before use, `stop` after it."""

    system: System
    claims: Claims
    publisher: LogPublisher
    runner: Runner

    def published(self) -> dict[str, object]:
        """The public keys that a stranger needs to check documents of this installation (/.well-known/troth.json)."""
        signer = self.system.base.signer
        return {
            "signers": {signer.name: signer.public_key.hex()},
            "logs": {"host": self.system.base.settings.server.name, "key": signer.public_key.hex()},
            "content_credentials": self.system.gateway.credentials.anchor,
        }

    def departure(self) -> Departure:
        """What takes a tenant away from here."""
        return departure(self.system)

    def arriving(self) -> Arriving:
        """What takes a tenant in."""
        return arriving(self.system)

    @as_system
    def start(self) -> None:
        """Check the log against what was signed, open the key tree, finish interrupted erasures.

        The sequencer comes first: it refuses a second process before that one touches an unfinished key destruction.
        """
        self.system.base.sequencer.start()
        self.system.base.tree.resume()
        self.system.vault.erasures.resume()

    @as_system
    def stop(self) -> None:
        """Finish what waits and let go of everything."""
        self.system.base.outbox.close()
        self.system.base.sequencer.stop()
        self.system.base.database.checkpoint()
        self.system.base.database.close()

    def ready(self) -> dict[str, bool]:
        """What must work before requests are taken; `key-domains`, only while one is away, is no reason not to."""
        state, away = self.system.base.sequencer.state(), self.system.base.tree.absent
        needed = {"log": state.running and state.fault is None, "keys": self._keys_work()}
        return needed | ({"key-domains": False} if away else {})

    @as_system
    def _keys_work(self) -> bool:
        try:
            self.system.base.tree.unit("operators", "svc_health", DataClass.SYSTEM, "health")
        except TrothError:
            return False
        return True


@as_system
def build(settings: Settings, clock: Clock | None = None, journal: Journal | None = None) -> Troth:
    """Everything, from settings; folders, keys and schema are made on first use.

    Raises `Unavailable` and `IntegrityError`.
    """
    base = build_base(settings, clock or SystemClock(), journal or Journal())
    identity = build_identity(base)
    backups = build_backups(base)
    vault = build_vault(
        base,
        identity,
        backups,
        lambda: [Copies(f"backup:{one.name}", one.jurisdiction, one.store) for one in backups.places()],
    )
    gateway = build_gateway(base, vault)
    systems: list[System] = []
    runner = Runner(
        all_checks(),
        lambda: systems[0],
        database=base.database,
        recorder=base.outbox,
        clock=base.clock,
        faults=base.journal,
    )
    publisher = LogPublisher(base.database)
    audit = AuditOperations(base.reader, base.prover, base.sequencer.origins, publisher)
    promises = PromiseOperations(runner)
    owners = (*identity.operations, *vault.operations, *gateway.operations, audit, promises)
    domains = KeyDomainOperations(base.database, base.domains, settings.data.jurisdiction, base.tree)
    keys = KeyOperations(tree=base.tree, incidents=build_incidents(base))
    registry = Registry(*owners, BackupOperations(backups), domains, keys)
    decider = CedarDecider(registry)
    dispatcher = Dispatcher(registry, decider, base.outbox, base.clock, base.journal, at_hand=base.database.at_hand)
    mail = build_mail(base, identity, vault)
    system = System(base, identity, vault, gateway, mail=mail, backups=backups, dispatcher=dispatcher, decider=decider)
    systems.append(system)
    claims = Claims(base.database, base.clock, base.secrets.named("request-claims"))
    return Troth(systems[0], claims, publisher, runner)


@contextmanager
def opened(settings: Settings, *, must_exist: bool = False, sequencing: bool = True) -> Iterator[Troth]:
    """An installation for the length of a block. Raises `NotFound` when it must exist and does not."""
    if must_exist and not (settings.data.database_url or (settings.data.folder / "troth.db").exists()):
        raise NotFound("There is no installation in this data folder; run 'troth init' or 'troth serve'.")
    troth = build(settings)
    try:
        if sequencing:
            troth.start()
        with within(SYSTEM):  # who may run this command on this machine holds the data folder anyway
            yield troth
    finally:
        troth.stop()
