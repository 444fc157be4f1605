"""Builds one installation from its settings. The only package that constructs things; no container, no global."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from troth.access.policy import CedarDecider
from troth.audit.browse_operations import BrowseOperations
from troth.audit.evidence import WitnessedLog
from troth.audit.log import LogPublisher
from troth.audit.meta_operations import MetaLogOperations
from troth.audit.operations import AuditOperations
from troth.audit.pruning_operations import PruningOperations
from troth.backup import homes
from troth.backup.backups import Backups
from troth.backup.operations import BackupOperations
from troth.gateway.intake import malware
from troth.identity.privileged import PasskeyForPrivileged
from troth.kernel.clock import Clock, SystemClock
from troth.kernel.dispatch import Decider, Dispatcher
from troth.kernel.errors import NotFound, TrothError
from troth.kernel.journal import Journal
from troth.kernel.operation import Registry
from troth.kernel.scope import SYSTEM, as_system, within
from troth.keys.domain_operations import KeyDomainOperations
from troth.keys.operations import KeyOperations, ReplacementOperations
from troth.promises.check import Check
from troth.promises.checks import all_checks
from troth.promises.evidence import EvidenceOperations
from troth.promises.past import Past
from troth.promises.runner import Runner
from troth.promises.schedule_operations import ScheduleOperations
from troth.promises.scheduler import Scheduler
from troth.promises.system import Base, System
from troth.settings.load import Settings
from troth.storage.claims import Claims
from troth.vault.inventory import Copies
from troth.vault.moving.arriving import Arriving
from troth.vault.moving.departure import Departure
from troth.wiring.auditing import auditing_operations
from troth.wiring.availability import Availability, build_availability
from troth.wiring.backup import build_backups, require_homes
from troth.wiring.base import build_base
from troth.wiring.checks import build_evidence, build_past, build_scheduler, promise_operations
from troth.wiring.gateway import build_gateway
from troth.wiring.governance import build_governance, resting
from troth.wiring.governing import build_governing
from troth.wiring.identity import build_identity, passkey_grace
from troth.wiring.keys import build_incidents, build_replacements
from troth.wiring.log_places import far_location
from troth.wiring.log_pruning import build_pruning
from troth.wiring.mail import build_mail
from troth.wiring.moving import arriving, departure
from troth.wiring.papers import build_papers
from troth.wiring.period import build_period
from troth.wiring.reviews import build_reviews
from troth.wiring.vault import build_vault


@dataclass(frozen=True, slots=True)
class Troth:
    """One installation, built. `start` before use, `stop` after it."""

    system: System
    claims: Claims
    publisher: LogPublisher
    runner: Runner
    past: Past
    scheduler: Scheduler
    availability: Availability

    def published(self) -> dict[str, object]:
        """The public keys that a stranger needs to check documents of this installation (/.well-known/troth.json)."""
        signer = self.system.base.signer
        return {
            "signers": {signer.name: signer.public_key.hex()},
            "logs": {
                "host": self.system.base.settings.server.name,
                "key": signer.public_key.hex(),
                "meta": "/v1/meta-log/checkpoint",
                "keep_days": self.system.base.settings.audit.keep_days,
            },
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

        Places come first, which change nothing; then the sequencer, which refuses a second process before that one
        touches an unfinished key destruction.
        """
        require_homes(self.system.base.settings)
        self.system.base.sequencer.start()
        self.system.base.tree.resume()
        self.system.vault.erasures.resume()
        if self.system.gateway.antivirus is not None:
            malware.attach(self.system.gateway.antivirus)

    @as_system
    def send_last(self) -> None:
        """A server that ends leaves the newest entries of its log in the backup places, as far as they answer."""
        with suppress(TrothError, OSError, SQLAlchemyError):  # whatever it is, what follows must be done
            self.system.backups.ship(last=True)

    @as_system
    def stop(self) -> None:
        """Finish what waits and let go of everything."""
        if self.system.gateway.antivirus is not None:
            malware.detach(self.system.gateway.antivirus)
        self.system.base.outbox.close()
        self.system.base.sequencer.stop()
        self.system.base.database.checkpoint()
        self.system.base.database.close()


@as_system
def build(settings: Settings, clock: Clock | None = None, journal: Journal | None = None) -> Troth:
    """Everything, from settings; folders, keys and schema are made on first use.

    Raises `Unavailable` and `IntegrityError`.
    """
    base = build_base(settings, clock or SystemClock(), journal or Journal())
    identity = build_identity(base)
    backups = build_backups(base)
    vault = build_vault(base, identity, backups, lambda: _copies(settings, backups))
    gateway, governing = build_gateway(base, vault), build_governing(base, identity)
    systems: list[System] = []
    governance = build_governance(base, lambda: systems[0])
    runner = _runner(base, systems, all_checks(governance.registers.forms))
    publisher = LogPublisher(base.database)
    schedules = ScheduleOperations(runner.evidence.schedules)
    past = build_past(base, runner)
    of_paper = build_papers(base, runner, past, lambda: systems[0])
    period = build_period(base, runner, governance.house)
    promises = *promise_operations(runner, past), EvidenceOperations(runner, base.signer), schedules, *of_paper, period
    availability = build_availability(base, lambda: systems[0])
    owners = (
        *identity.operations,
        *governing.operations,
        *vault.operations,
        *gateway.operations,
        *governance.operations,
        *auditing_operations(base, governance, runner, period),
        *_of_log(base, publisher),
        *promises,
    )
    domains = KeyDomainOperations(base.database, base.domains, settings.data.jurisdiction, base.tree)
    incidents = build_incidents(base)
    replacements = build_replacements(base, identity, incidents)
    keys = KeyOperations(tree=base.tree, incidents=incidents, replacements=replacements)
    jobs = ReplacementOperations(replacements=replacements)
    reviewing = build_reviews(base, identity, lambda: systems[0].dispatcher.registry)
    pruning = PruningOperations(build_pruning(base, reviewing))
    registry = Registry(*owners, *reviewing.operations, pruning, BackupOperations(backups), domains, keys, jobs,
                        availability.operations)  # fmt: skip
    decider = CedarDecider(registry)
    dispatcher = _dispatcher(base, registry, resting(base, governance, decider))
    mail = build_mail(base, identity, vault, governing.emergencies, governance.second)
    system = System(
        base,
        identity,
        governing,
        vault,
        gateway,
        governance=governance,
        mail=mail,
        backups=backups,
        replacements=replacements,
        reviewing=reviewing,
        dispatcher=dispatcher,
        decider=decider,
    )
    systems.append(system)
    claims = Claims(base.database, base.clock, base.secrets.named("request-claims"))
    return Troth(systems[0], claims, publisher, runner, past, build_scheduler(base, runner, past), availability)


def _copies(settings: Settings, backups: Backups) -> list[Copies]:
    """Where copies of the data lie."""
    return [
        *(Copies(f"backup:{one.name}", homes.stated(one), one.store) for one in backups.places()),
        *(Copies(one.name, homes.stated(one), one.store) for one in [far_location(settings)] if one is not None),
    ]


def _runner(base: Base, systems: list[System], checks: Sequence[Check]) -> Runner:
    """Looks at what will be built last: it asks for the system when a check runs."""
    return Runner(
        checks,
        lambda: systems[0],
        evidence=build_evidence(base, checks, lambda: systems[0].governance),
        database=base.database,
        recorder=base.outbox,
        clock=base.clock,
        faults=base.journal,
        meter=base.meters,
    )


def _of_log(base: Base, publisher: LogPublisher) -> tuple[object, ...]:
    origins = base.sequencer.origins
    audit = AuditOperations(base.reader, base.prover, origins, publisher)
    return audit, BrowseOperations(base.reader, base.prover, origins, base.details), MetaLogOperations(publisher)


def _dispatcher(base: Base, registry: Registry, decider: Decider) -> Dispatcher:
    """The one road in."""
    made = Dispatcher(
        registry,
        PasskeyForPrivileged(decider, passkey_grace(base)),
        base.outbox,
        base.clock,
        base.journal,
        at_hand=base.database.at_hand,
        details=base.details,
        watch=base.instruments.watch,
    )
    made.meter = base.meters
    if base.sequencer.witnessing is not None:
        made.witnessed = WitnessedLog(base.sequencer, base.sequencer.witnessing, base.settings.audit.witness_seconds)
    return made


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
