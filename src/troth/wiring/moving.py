"""Builds what moves a tenant between installations; only commands on the machine use it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert

from troth.identity.store import tenants
from troth.promises.system import System
from troth.vault.ground import Ground
from troth.vault.moving.arriving import Arriving
from troth.vault.moving.departure import Departure
from troth.vault.moving.pins import Pins
from troth.vault.moving.transport import InvitationKeys


def departure(system: System) -> Departure:
    """The origin's side."""
    base = system.base
    here = base.settings.data.jurisdiction
    return Departure(_ground(system), base.fields, system.vault.erasures, base.signer, here=here, pins=pins(system))


def pins(system: System) -> Pins:
    """The destinations that two operators agreed to."""
    return Pins(_ground(system), system.identity.roles)


def arriving(system: System) -> Arriving:
    """The destination's side."""
    base = system.base
    here = base.settings.data.jurisdiction

    def found(connection: Connection, tenant: str, row: dict[str, Any]) -> None:
        values = {"id": tenant, "jurisdiction": here, "name": row["name"], "created_at": row["created_at"]}
        connection.execute(insert(tenants), values)

    keys = InvitationKeys(base.settings.data.keys / "moving")
    return Arriving(_ground(system), base.fields, base.signer, keys, here=here, found=found)


def _ground(system: System) -> Ground:
    base = system.base
    return Ground(base.database, base.objects, base.tree, base.outbox, base.clock, base.meters)
