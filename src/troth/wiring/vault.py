"""Builds what is kept and how it is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from troth import __version__
from troth.audit.evidence import LogEvidence
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.identity.tenants import Tenant
from troth.kernel.backups import BackupRegister, NoBackups
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Denied, NotFound
from troth.kernel.personal import Holder
from troth.promises.system import Base, Identity, Vault
from troth.vault.consent import Consents
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
from troth.vault.objects import Objects
from troth.vault.operations import ConsentOperations, ObjectOperations
from troth.vault.restriction import Restrictions
from troth.vault.retention import Retention
from troth.vault.verification import CertificateOperations
from troth.wiring.outside import VendorCopies
from troth.wiring.rights import build_rights

NO_BACKUPS = NoBackups()


def build_vault(
    base: Base,
    identity: Identity,
    backups: BackupRegister = NO_BACKUPS,
    copies: Callable[[], Iterable[Copies]] = tuple,
) -> Vault:
    ground = Ground(base.database, base.objects, base.tree, base.outbox, base.clock)
    limits, asked = base.settings.retention, base.settings.erasure
    deadlines = Deadlines(
        ground,
        {DataClass.USER_GENERATED: limits.user_generated_days},
        transient_minutes=limits.transient_minutes,
        approval_above=asked.approval_above,
    )
    objects = Objects(
        ground,
        deadlines,
        blind_index=base.fields.blind_index,
        # Fixed when a tenant is created (LOC-01), so it is asked for once; a refusal is not remembered.
        jurisdiction_of=lru_cache(maxsize=4096)(lambda tenant: _home(base, identity.tenants.get(tenant))),
    )
    consents = Consents(ground, base.signer, controller=base.settings.server.name)
    kept = VaultHolder(ground, objects, consents)
    rights = build_rights(base, identity, ground, consents)
    holders: tuple[Holder, ...] = (kept, identity.holder, rights.holder)
    evidence = LogEvidence(base.sequencer, base.prover)
    outside = VendorCopies(base.database, [LOCAL_STUDIO])
    witnesses = Witnesses(holders, evidence, base.signer, f"troth {__version__}", backups, outside)
    control = Control(
        approval_above=asked.approval_above,
        delay_minutes=asked.delay_minutes,
        bulk_delay_minutes=asked.bulk_delay_minutes,
    )
    erasures = Erasures(ground, Steps(ground, witnesses), identity.roles, control=control)
    stocktaking = Stocktaking(
        Places(base.settings.data.jurisdiction, base.database, base.objects, base.domains, base.mirror, copies)
    )
    restrictions = Restrictions(ground)
    exporter = Exporter(holders, kept, base.clock)
    return Vault(
        objects=objects,
        consents=consents,
        erasures=erasures,
        retention=Retention(ground, deadlines, erasures),
        holders=holders,
        stocktaking=stocktaking,
        rights=rights,
        operations=(
            *rights.operations,
            ObjectOperations(objects=objects, erasures=erasures, exporter=exporter),
            ConsentOperations(consents=consents),
            PlacementOperations(stocktaking=stocktaking),
            ErasureOperations(erasures=erasures),
            OffboardingOperations(erasures=erasures, customer=lambda tenant: _customer(identity, tenant)),
            HoldOperations(holds=Holds(ground), erasures=erasures),
            ProcessingOperations(restrictions=restrictions),
            RestrictionOperations(restrictions=restrictions, erasures=erasures),
            RetentionOperations(deadlines=deadlines),
            CertificateOperations(signer=base.signer, log_key=lambda log: str(base.sequencer.origins.key(log))),
        ),
    )


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
