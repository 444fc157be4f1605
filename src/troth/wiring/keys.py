"""Builds the answer to a compromise: everybody who seals under units of people, and thus can move it."""

from __future__ import annotations

from troth.identity import sealed_columns as of_identity
from troth.keys.field_moving import FieldReencrypter
from troth.keys.incidents import Incidents
from troth.promises.system import Base
from troth.vault.ground import Ground
from troth.vault.reencryption import VaultReencrypter
from troth.vault.rights import sealed_columns as of_rights

SEALED = (*of_identity.SEALED, *of_rights.SEALED)


def build_incidents(base: Base) -> Incidents:
    vault = VaultReencrypter(Ground(base.database, base.objects, base.tree, base.outbox, base.clock))
    return Incidents(base.tree, [vault, FieldReencrypter(base.tree, base.fields, base.database, SEALED)])
