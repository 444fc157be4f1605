"""Builds the answer to a compromise: everybody who seals under units of people, and thus can move it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_

from troth.audit.details import LABEL as DETAILS
from troth.gateway.moderation import tables as of_moderation
from troth.governance import sealing as of_registers
from troth.identity import sealed_columns as of_identity
from troth.keys.field_moving import FieldReencrypter, SealedColumn
from troth.keys.incidents import Incidents
from troth.keys.replacements import Replacements
from troth.keys.transitions import Transitions
from troth.promises.system import Base, Identity
from troth.redact import tenant_policies as of_redaction
from troth.storage.detail_rows import audit_details
from troth.vault.ground import Ground
from troth.vault.reencryption import VaultReencrypter
from troth.vault.rights import sealed_columns as of_rights


def _details_of(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(audit_details.c.tenant == tenant, audit_details.c.subject == subject)


_BESIDE_LOG = SealedColumn(audit_details, "sealed", DETAILS, _details_of)
SEALED = (
    *(*of_identity.SEALED, *of_rights.SEALED, *of_redaction.SEALED, *of_moderation.SEALED),
    *(*of_registers.SEALED, _BESIDE_LOG),
)


def build_replacements(base: Base, identity: Identity, incidents: Incidents) -> Replacements:
    return Replacements(
        base.database,
        incidents,
        Transitions(base.outbox, base.settings.data.jurisdiction),
        base.clock,
        guard=identity.roles,
        approval_above=base.settings.erasure.approval_above,
    )


def build_incidents(base: Base) -> Incidents:
    vault = VaultReencrypter(Ground(base.database, base.objects, base.tree, base.outbox, base.clock, base.meters))
    return Incidents(base.tree, [vault, FieldReencrypter(base.tree, base.fields, base.database, SEALED)])
