"""Builds what is kept and how it is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from troth import __version__
from troth.audit.details_holder import DetailsHolder
from troth.audit.evidence import LogEvidence
from troth.gateway.limits.holder import UsageHolder
from troth.gateway.moderation.holder import ModerationHolder
from troth.gateway.routing_policies import routing_holder
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.identity.tenants import Tenant
from troth.kernel.backups import BackupRegister, NoBackups
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Denied, NotFound
from troth.kernel.personal import Holder
from troth.promises.system import Base, Identity, Vault
from troth.redact.tenant_policies import policy_holder
from troth.vault.consent import Consents
from troth.vault.custody import Custody
from troth.vault.custody_operations import CustodyOperations
from troth.vault.deadlines import Deadlines
from troth.vault.dual_control import Control
from troth.vault.erasure import Erasures
from troth.vault.erasure_operations import ErasureOperations, OffboardingOperations
from troth.vault.erasure_steps import Steps, Witnesses
from troth.vault.export import Exporter
from troth.vault.ground import Ground
from troth.vault.holder import VaultHolder
from troth.vault.holding_operations import (
    HoldOperations,
    ProcessingOperations,
    RestrictionOperations,
    RetentionOperations,
)
from troth.vault.holds import Holds
from troth.vault.inventory import Copies, Places, Stocktaking
from troth.vault.inventory_operations import PlacementOperations
from troth.vault.moving.pin_operations import MoveOperations
from troth.vault.moving.pins import Pins
from troth.vault.objects import Objects
from troth.vault.operations import ConsentOperations, ObjectOperations
from troth.vault.restriction import Restrictions
from troth.vault.retention import Retention
from troth.vault.rights.clocks import Kind
from troth.vault.rights.register import Register
from troth.vault.scrubbing import Scrub
from troth.vault.sharing_changes import SharingChanges
from troth.vault.sharing_operations import SharingOperations
from troth.vault.verification import CertificateOperations
from troth.wiring.governance import build_calendar_holder, build_registers_holder
from troth.wiring.limits import build_usage
from troth.wiring.moderation import build_cases
from troth.wiring.outside import VendorCopies
from troth.wiring.rights import build_rights

NO_BACKUPS = NoBackups()


def build_vault(
    base: Base,
    identity: Identity,
    backups: BackupRegister = NO_BACKUPS,
    copies: Callable[[], Iterable[Copies]] = tuple,
) -> Vault:
    ground = Ground(base.database, base.objects, base.tree, base.outbox, base.clock, base.meters)
    deadlines = _deadlines(base, ground)
    objects = _objects(base, identity, ground, deadlines)
    consents = Consents(ground, base.signer, controller=base.settings.server.name)
    kept = VaultHolder(ground, objects, consents)
    rights = build_rights(base, identity, ground, consents)
    beside_log = DetailsHolder(base.database, base.fields)
    holders: tuple[Holder, ...] = (kept, identity.holder, rights.holder, beside_log, *_settled(base))
    evidence = LogEvidence(base.sequencer, base.prover)
    outside = VendorCopies(base.database, [LOCAL_STUDIO])
    witnesses = Witnesses(holders, evidence, base.signer, f"troth {__version__}", backups, outside)
    erasures = Erasures(ground, Steps(ground, witnesses), identity.roles, control=_control(base))
    stocktaking = Stocktaking(
        Places(base.settings.data.jurisdiction, base.database, base.objects, base.domains, base.mirror, copies)
    )
    scrub = Scrub(ground, megabytes=base.settings.scrub.megabytes_per_minute, days=base.settings.scrub.days)
    return Vault(
        objects=objects,
        consents=consents,
        erasures=erasures,
        retention=Retention(ground, deadlines, erasures),
        scrub=scrub,
        holders=holders,
        stocktaking=stocktaking,
        rights=rights,
        operations=(
            *rights.operations,
            CustodyOperations(custody=Custody(ground, base.reader, scrub)),
            ObjectOperations(objects=objects, erasures=erasures, exporter=Exporter(holders, kept, base.clock)),
            ConsentOperations(consents=consents),
            PlacementOperations(stocktaking=stocktaking),
            ErasureOperations(erasures=erasures, require_proven=_proven(rights.register, Kind.ERASURE)),
            *_leaving(identity, ground, erasures),
            HoldOperations(holds=Holds(ground), erasures=erasures),
            *_restricting(Restrictions(ground), erasures, rights.register),
            SharingOperations(changes=SharingChanges(ground), accounts=rights.register.directory),
            RetentionOperations(deadlines=deadlines),
            CertificateOperations(signer=base.signer, log_key=lambda log: str(base.sequencer.origins.key(log))),
        ),
    )


def _settled(base: Base) -> tuple[Holder, ...]:
    """What tenants set, and what came of it for people."""
    moderation = ModerationHolder(base.database, build_cases(base))
    usage = UsageHolder(base.database, build_usage(base))
    registers = build_registers_holder(base)
    policies = routing_holder(base.database), policy_holder(base.database)
    return *policies, moderation, usage, registers, build_calendar_holder(base)


def _deadlines(base: Base, ground: Ground) -> Deadlines:
    limits = base.settings.retention
    return Deadlines(
        ground,
        {DataClass.USER_GENERATED: limits.user_generated_days},
        transient_minutes=limits.transient_minutes,
        approval_above=base.settings.erasure.approval_above,
    )


def _objects(base: Base, identity: Identity, ground: Ground, deadlines: Deadlines) -> Objects:
    return Objects(
        ground,
        deadlines,
        blind_index=base.fields.blind_index,
        # Fixed when a tenant is created (LOC-01), so it is asked for once; a refusal is not remembered.
        jurisdiction_of=lru_cache(maxsize=4096)(lambda tenant: _home(base, identity.tenants.get(tenant))),
    )


def _control(base: Base) -> Control:
    asked = base.settings.erasure
    return Control(
        approval_above=asked.approval_above,
        delay_minutes=asked.delay_minutes,
        bulk_delay_minutes=asked.bulk_delay_minutes,
    )


def _leaving(identity: Identity, ground: Ground, erasures: Erasures) -> tuple[object, ...]:
    """What two operators do with a whole tenant: end it, or let it move."""

    def customer(tenant: str) -> None:
        _customer(identity, tenant)

    offboarding = OffboardingOperations(erasures=erasures, customer=customer)
    return offboarding, MoveOperations(pins=Pins(ground, identity.roles), customer=customer)


def _restricting(restrictions: Restrictions, erasures: Erasures, register: Register) -> tuple[object, ...]:
    """Restriction by the person and by officers, who need to see who asks."""
    proven = _proven(register, Kind.RESTRICTION)
    own = ProcessingOperations(restrictions=restrictions)
    return own, RestrictionOperations(restrictions=restrictions, erasures=erasures, require_proven=proven)


def _proven(register: Register, kind: Kind) -> Callable[[str, str], None]:
    """Raises `Conflict` while the only open wishes of a person of this kind came from somebody not shown to be them."""
    return lambda tenant, subject: register.require_proven(tenant, subject, kind)


def _customer(identity: Identity, tenant: str) -> None:
    """Raises `NotFound` for what is no customer: an unknown id, or the operators' own row."""
    if tenant not in {one.id for one in identity.tenants.list()}:
        raise NotFound("There is no such tenant; list the tenants to see their ids.", code="tenant-not-found")


def _home(base: Base, tenant: Tenant) -> str:
    """The tenant's jurisdiction, which must be this installation's: data sits where its tenant was told (LOC-01)."""
    if tenant.jurisdiction != base.settings.data.jurisdiction:
        raise Denied(
            "This installation keeps data of another jurisdiction; use the one of yours.", code="wrong-jurisdiction"
        )
    return tenant.jurisdiction
