"""What each shorter retention rule ended, by whom: small steps of one officer within a day are added up."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, Index, String, Table, delete, func, insert, select

from troth.storage.database import Big, metadata
from troth.vault import ledger

rule_changes = Table(
    "vault_rule_change",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("actor", String(64), nullable=False),  # goes with the officer
    Column("data_class", String(16), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("days", Big, nullable=False),
    Column("people", Big, nullable=False),  # of whom it ended something that no rule had ended before
    Column("at", Big, nullable=False),
    Index("ix_vault_rule_change_actor", "tenant", "actor", "at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleChange:
    """One shorter rule. `at` in epoch ms; `purpose` is "" for a rule of the whole class."""

    id: str
    tenant: str
    actor: str
    data_class: str
    purpose: str
    days: int
    people: int
    at: int


def add(connection: Connection, change: RuleChange) -> None:
    """Put a change on file, in the transaction that makes it."""
    connection.execute(insert(rule_changes), {name: getattr(change, name) for name in RuleChange.__slots__})


def people_ended(connection: Connection, actor: str, since: int) -> int:
    """Of how many people an officer has ended something since a moment: by erasures asked for, and by rules.

    Whoever counts at the same time for the same officer waits until this transaction ends.
    """
    asked = ledger.people_asked(connection, actor, since)
    mine = rule_changes.c.actor == actor, rule_changes.c.at > since
    ruled = connection.execute(select(func.coalesce(func.sum(rule_changes.c.people), 0)).where(*mine)).scalar_one()
    return asked + int(ruled)


def by_officer(connection: Connection, tenant: str, actor: str) -> list[RuleChange]:
    """An officer's changes, oldest first."""
    query = select(rule_changes).where(rule_changes.c.tenant == tenant, rule_changes.c.actor == actor)
    found = connection.execute(query.order_by(rule_changes.c.at, rule_changes.c.id)).mappings()
    return [RuleChange(**dict(one)) for one in found]


def forget(connection: Connection, tenant: str, actor: str | None = None) -> list[str]:
    """Drop the changes of an officer, or of a tenant; their ids. The log keeps what was done."""
    mine = [rule_changes.c.tenant == tenant, *([rule_changes.c.actor == actor] if actor else [])]
    found = sorted(connection.execute(select(rule_changes.c.id).where(*mine)).scalars())
    connection.execute(delete(rule_changes).where(*mine))
    return found
