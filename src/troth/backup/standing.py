"""What people and operators set for themselves, as it stands today; where that is lost, what lets out less."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, or_, select, update

from troth.kernel.record import Outcome
from troth.kernel.scope import SYSTEM
from troth.keys.replacement_rows import Progress
from troth.storage.database import Database, metadata
from troth.storage.placement import installation

GROUP = 400
POLICY_SET = "redaction.policy"
HOUSE_NAMED, HOUSE_APPROVED = "house.name", "house.approve"
_HOUSE = [one for one in installation.columns if one.name.startswith("house")]
_NOBODY_WAITS = {"house_proposed": None, "house_proposed_by": None, "house_proposed_at": None}
# Exactly today's rows, such as the second factor after a stolen phone. Table -> the columns by which a row has an owner
# here; none when it needs no owner.
SETTINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "totp": {"user": ("users",)},
    "recovery_codes": {"user": ("users",)},
    "passkeys": {"user": ("users",)},
    "known_devices": {"user": ("users",)},
    "privacy_settings": {"owner": ("users", "tenants")},
    "sso_connections": {"tenant": ("tenants",)},
    "sso_domains": {"tenant": ("tenants",)},
    "sso_links": {"user": ("users",)},
    "service_accounts": {"owner": ("users",)},
    "custom_roles": {"tenant": ("tenants",)},
    "elevations": {"user": ("users",)},
    "break_glass": {"user": ("users",)},
    "access_campaigns": {"tenant": ("tenants",)},
    "access_items": {"user": ("users",)},
    "certified_devices": {"user": ("users",)},
    "certified_services": {"tenant": ("tenants",)},
    "certificate_authorities": {},
    "scim_tokens": {"tenant": ("tenants",)},
    "scim_people": {"user": ("users",)},
    "scim_groups": {"tenant": ("tenants",)},
    "scim_members": {"user": ("users",)},
    "vendors": {},
    "redaction_policy": {"tenant": ("tenants",)},
    "routing_policy": {"tenant": ("tenants",)},
    "own_limit": {"tenant": ("tenants",)},
    "budget": {"tenant": ("tenants",)},
    "budget_alert": {"tenant": ("tenants",)},
    "moderation_policy": {"tenant": ("tenants",)},
    "moderation_case": {"tenant": ("tenants",)},
    "moderation_takedown": {},
    "paper_version": {},
    "statement_version": {},
    "moderation_evidence": {"tenant": ("tenants",)},
    "register_record": {"tenant": ("tenants",)},
    "register_event": {"tenant": ("tenants",)},
    "register_item": {"tenant": ("tenants",)},
    "calendar_feed": {"person": ("users",)},
    "calendar_webhook": {"tenant": ("tenants",)},
    "tenant_departure": {"tenant": ("tenants",)},
    "key_replacement": {"tenant": ("tenants",)},
    "admin_review": {"tenant": ("tenants",)},
    "admin_review_act": {"tenant": ("tenants",)},
    "admin_review_watch": {"tenant": ("tenants",)},
}


def take_over(ledger: Database, connection: Connection) -> None:
    """The settings of the newest ledger in the place of the backup's."""
    there = {name: set(connection.scalars(select(metadata.tables[name].c.id))) for name in ("users", "tenants")}
    for table in tables(SETTINGS):
        owners = {
            column: set[str]().union(*(there[one] for one in names)) for column, names in SETTINGS[table.name].items()
        }
        connection.execute(delete(table))
        for some in rows_of(ledger, select(table)):
            if owned := [row for row in some if all(row[one] in known for one, known in owners.items())]:
                connection.execute(insert(table), owned)
    for some in rows_of(ledger, select(*_HOUSE)):
        for row in some:  # one: whose registers count for the promises, and who waits to be it
            connection.execute(update(installation).values(row))


def make_sure(
    connection: Connection, policies_set: Iterable[Mapping[str, Any]], houses: Iterable[Mapping[str, Any]], at: int
) -> None:
    """When the living ledger is lost, the newest backup may not know what was taken back since; `at` in epoch ms.

    Destinations of tenants wait for their second operator again, key replacements that waited are called off, and
    owners designate people for emergencies anew. Nobody waits to be the house, which is the one that the log names.
    `policies_set` are the log's entries about redaction policies, `houses` those about the house; each log's in order.
    """
    _settle_house(connection, houses, at)
    found = metadata.tables
    if (departures := found.get("tenant_departure")) is not None:
        connection.execute(update(departures).values(agreed_by=None, agreed_at=None))
    if (replacements := found.get("key_replacement")) is not None:
        waits = replacements.c.state == Progress.WAITING
        off = {"state": Progress.CALLED_OFF, "subject": None, "ended_at": at}
        connection.execute(update(replacements).where(waits).values(off))
    if (designated := found.get("break_glass")) is not None:
        connection.execute(delete(designated))
    if (policies := found.get("redaction_policy")) is not None:
        _settle_policies(connection, policies, policies_set)


def _settle_policies(connection: Connection, policies: Table, said: Iterable[Mapping[str, Any]]) -> None:
    """The log names the digest of the policy in force. One that we do not have may take out more than ours: then the
    tenant has one that opens for nobody, and nothing of it goes to a vendor until it is set or cleared again."""
    last = {str(leaf["tenant"]): leaf for leaf in said if leaf.get("tenant") and "policy" in leaf.get("facts", {})}
    have = {row.tenant: row.digest for row in connection.execute(select(policies.c.tenant, policies.c.digest))}
    tenants = set(connection.scalars(select(metadata.tables["tenants"].c.id)))
    for tenant in sorted(last.keys() & tenants):
        digest = last[tenant]["facts"].get("digest")
        if digest == have.get(tenant):
            continue  # the same policy, or none in both
        connection.execute(delete(policies).where(policies.c.tenant == tenant))
        if digest is not None:
            shut = {"tenant": tenant, "sealed": b"", "digest": str(digest), "set_at": int(last[tenant].get("time", 0))}
            connection.execute(insert(policies), shut)


def _settle_house(connection: Connection, said: Iterable[Mapping[str, Any]], at: int) -> None:
    """Naming another tenant than the house proposes it (`previous` is the house); the first one needs nobody else."""
    house: str | None = None
    for leaf in said:
        facts = leaf.get("facts", {})
        if leaf.get("outcome") != Outcome.DONE or "tenant" not in facts:
            continue
        if leaf["op"] == HOUSE_APPROVED:
            house = str(facts["tenant"])
        elif house is None:
            house = str(facts.get("previous", facts["tenant"]))
    connection.execute(update(installation).values(_NOBODY_WAITS))
    if house is not None:  # what was agreed to before the restore excuses nothing of it
        other = or_(installation.c.house.is_(None), installation.c.house != house)
        connection.execute(update(installation).where(other).values(house=house, house_at=at))


def tables(names: Iterable[str]) -> Iterator[Table]:
    """Those of the tables that this installation has."""
    for name in names:
        if (table := metadata.tables.get(name)) is not None:
            yield table


def rows_of(database: Database, query: Any) -> Iterator[list[dict[str, Any]]]:
    """The rows of a query, some at a time."""
    with database.read(SYSTEM) as connection:
        for some in connection.execution_options(yield_per=GROUP).execute(query).mappings().partitions():
            yield [dict(row) for row in some]
