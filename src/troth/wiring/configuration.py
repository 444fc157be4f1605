"""What is set, for reviews of configuration: permissions, network rules and storage policies. No secret is among it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import Connection, select

from troth.governance.prepared.configuration import Sections
from troth.identity.oauth.store import services
from troth.identity.store import OPERATORS, api_keys, custom_roles, grants, users
from troth.kernel.scope import SYSTEM
from troth.promises.system import Base, System
from troth.vault.deadlines import rules

# Each section of the settings belongs to one part; a test holds both lists complete.
NETWORK: Final = ("server", "identity", "access", "governance", "mail", "clocks", "gateway", "telemetry", "limits")
STORAGE: Final = ("data", "keys", "retention", "erasure", "backup", "audit", "scrub", "rights", "promises", "reviews")


def configuration(base: Base, system: Callable[[], System], tenant: str) -> Sections:
    """What is set now, of the service and of this tenant; who operates it stands in no tenant that a caller sees."""
    with base.database.read(SYSTEM) as connection:
        permissions = _permissions(connection, tenant)
        kept = {
            f"{row.data_class} {row.purpose}".strip(): row.days
            for row in connection.execute(select(rules).where(rules.c.tenant == tenant))
        }
    vendors = {one.id: {"url": one.facts.base_url, "state": one.state.value} for one in system().gateway.vendors.all()}
    return {
        "permissions": {**permissions, "policies": system().decider.ruleset},
        "network_rules": {**_settings(base, NETWORK), "vendors": vendors},
        "storage_policies": {**_settings(base, STORAGE), "rules": kept},
    }


def _permissions(connection: Connection, tenant: str) -> dict[str, Any]:
    mine = users.c.tenant.in_((tenant, OPERATORS))
    held = select(users.c.id, users.c.active, grants.c.role).join(grants, grants.c.user == users.c.id).where(mine)
    people: dict[str, list[str]] = {}
    for row in connection.execute(held.order_by(users.c.id, grants.c.role)):
        people.setdefault(row.id, []).append(row.role if row.active else f"{row.role} (not active)")
    keys = select(api_keys.c.id, api_keys.c.scopes, api_keys.c.expires_at).join(users, users.c.id == api_keys.c.user)
    made = select(custom_roles).where(custom_roles.c.tenant == tenant)
    run = select(services).where(services.c.tenant == tenant)
    shown = connection.execute(keys.where(mine))
    return {
        "people": people,
        "roles": {one.id: {"name": one.name, "groups": one.groups} for one in connection.execute(made)},
        "keys": {one.id: {"scopes": one.scopes, "until": one.expires_at} for one in shown},
        "services": {
            one.id: {"scopes": one.scopes, "until": one.expires_at, "disabled": one.disabled_at is not None}
            for one in connection.execute(run)
        },
    }  # fmt: skip


def _settings(base: Base, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(getattr(base.settings, name)) for name in names}


def _plain(value: Any) -> Any:
    """A setting as JSON. What is not to be shown (`repr=False`) says only whether it is set."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {name: _shown(getattr(value, name), shown=one.repr) for name, one in fields.items()}
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | str) else _text(value)


def _shown(value: Any, *, shown: bool) -> Any:
    return _plain(value) if shown else ("set" if value is not None else None)


def _text(value: Any) -> str:
    return value.as_posix() if isinstance(value, Path) else str(value)
