"""Which rows of a tenant travel, which stay as evidence, and which stand in the way of a move.

A table that is in neither list and has rows of the tenant refuses the move: nothing is ever left behind unsaid.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, Table, insert, or_, select
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.kernel.errors import Conflict, IntegrityError
from troth.kernel.personal import PersonalFields
from troth.storage.database import metadata
from troth.vault.moving.transport import canonical

# Parents before children. Objects travel by themselves (`snapshot`); what hangs on them is settled after them.
PEOPLE = ("users", "role_grants", "totp", "recovery_codes", "api_keys", "privacy_settings")
BESIDE = (
    *("custom_roles", "vault_consent", "vault_retention_rule", "receipts"),
    *("register_record", "register_event", "register_item"),
)
AFTER = ("vault_edge", "vault_concern")
CARRIED = (*PEOPLE, *BESIDE, *AFTER)
# Evidence of what happened at the origin, and what has no meaning at another place.
STAYS = frozenset(
    """tenants vault_object unit key_scope key_suspension erasure erasure_step erasure_certificate erasure_decision
    audit_logs outbox sessions sso_sessions sso_attempts known_devices tenant_arrival vault_rule_change key_replacement
    tenant_departure audit_details routing_policy moderation_policy moderation_case service_accounts oauth_access_tokens
    passkeys elevations break_glass access_campaigns access_items
    certified_devices certified_sessions certified_services
    scim_tokens scim_people scim_groups scim_members video_jobs usage_row usage_day
    vault_print budget_spent budget_alert
    calendar_feed calendar_reminder calendar_webhook calendar_delivery""".split()
)
# Sealed columns: opened here, sealed under the keys there. Table -> column -> (the person's column, label).
SEALED: dict[str, dict[str, tuple[str, str]]] = {
    "users": {"email": ("id", "email"), "display_name": ("id", "display-name"), "password": ("id", "password")},
    "role_grants": {"reason": ("user", "grant-reason")},
    "totp": {"secret": ("user", "totp-secret")},
    "api_keys": {"name": ("user", "api-key-name"), "networks": ("user", "api-key-networks")},
    "register_event": {"content": ("subject", "register-event")},
}
_LEFT = {"users": {"email_index"}, "totp": {"pending"}, "api_keys": {"refused_at"}}  # made anew, or of no use there
Rows = dict[str, list[dict[str, Any]]]


def require_movable(connection: Connection, tenant: str) -> None:
    """Raises `Conflict` (move-open-duties) when something is kept of the tenant that a move would leave behind."""
    for table in metadata.sorted_tables:
        if "tenant" not in table.columns or table.name in {*CARRIED, *STAYS}:
            continue
        if connection.execute(select(table).where(table.c.tenant == tenant).limit(1)).first() is not None:
            raise Conflict(
                f"The tenant has open entries of the kind '{table.name}'; settle them before it moves.",
                code="move-open-duties",
            )


def fetched(connection: Connection, tenant: str) -> Rows:
    """Every row that travels, as it is kept here."""
    found = {name: connection.execute(_of(metadata.tables[name], tenant)).mappings() for name in CARRIED}
    rows = {name: [dict(row) for row in result] for name, result in found.items()}
    own = metadata.tables["tenants"]
    named = select(own.c.name, own.c.created_at).where(own.c.id == tenant)
    return {"tenants": [dict(row) for row in connection.execute(named).mappings()], **rows}


def opened(fields: PersonalFields, tenant: str, rows: Rows) -> Rows:
    """The same with sealed columns opened, as plain JSON in a fixed order. Raises `Gone` for erased people."""
    return {
        name: sorted((_opened(fields, tenant, name, row) for row in found), key=canonical)
        for name, found in rows.items()
    }


def sealed(fields: PersonalFields, tenant: str, rows: Rows, names: tuple[str, ...]) -> Rows:
    """Rows of these tables, sealed anew. Raises `IntegrityError` for rows that are not of this tenant's people."""
    people = {str(row.get("id")) for row in rows.get("users", [])}
    return {
        name: [_sealed(fields, tenant, name, row) for row in _checked(name, rows.get(name, []), tenant, people)]
        for name in names
    }


def write(connection: Connection, rows: Rows) -> None:
    """Insert what `sealed` gave. Raises `Conflict` (move-taken) when an address or id is taken here."""
    for name, values in rows.items():
        try:
            if values:
                connection.execute(insert(metadata.tables[name]), values)
        except Duplicate as error:
            raise Conflict("An address or id of the tenant is taken here already.", code="move-taken") from error


def _of(table: Table, tenant: str) -> Select[Any]:
    users = metadata.tables["users"]
    people = select(users.c.id).where(users.c.tenant == tenant)
    if "tenant" in table.columns:
        return select(table).where(table.c.tenant == tenant)
    if "user" in table.columns:
        return select(table).where(table.c.user.in_(people))
    if table.name == "privacy_settings":
        return select(table).where(or_(table.c.owner == tenant, table.c.owner.in_(people)))
    objects = metadata.tables["vault_object"]
    live = select(objects.c.id).where(objects.c.tenant == tenant, objects.c.state == "live")
    return select(table).where(table.c.child.in_(live), table.c.parent.in_(live))


def _opened(fields: PersonalFields, tenant: str, name: str, row: dict[str, Any]) -> dict[str, Any]:
    plain = {column: _json(value) for column, value in row.items() if column not in _LEFT.get(name, ())}
    for column, (person, label) in SEALED.get(name, {}).items():
        if row[column] is not None:
            plain[column] = fields.open(tenant, row[person], label, bytes(row[column])).decode()
    return plain


def _sealed(fields: PersonalFields, tenant: str, name: str, row: dict[str, Any]) -> dict[str, Any]:
    values = {column: _plain(value) for column, value in row.items()}
    for column, (person, label) in SEALED.get(name, {}).items():
        if row[column] is not None:
            values[column] = fields.seal(tenant, row[person], label, row[column].encode())
    if name == "users":
        values["email_index"] = fields.blind_index("email", row["email"])
    return values


def _checked(name: str, rows: list[dict[str, Any]], tenant: str, people: set[str]) -> Iterator[dict[str, Any]]:
    """A hostile origin cannot give its people a place in another tenant, nor another tenant's people a role."""
    columns = set(metadata.tables[name].columns.keys()) - _LEFT.get(name, set())
    for row in rows:
        foreign = row.get("tenant", tenant) != tenant or row.get("user", next(iter(people), "")) not in {*people, ""}
        strange = name == "privacy_settings" and row.get("owner") not in {*people, tenant}
        if set(row) != columns or foreign or strange:
            raise IntegrityError("The bundle holds rows that are not of its tenant.", code="move-shape")
        yield row


def _json(value: Any) -> Any:
    return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _plain(value: Any) -> Any:
    return base64.b64decode(value["bytes"]) if isinstance(value, dict) else value
