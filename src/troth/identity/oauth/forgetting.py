"""What the authorization server has of a person, and how it goes with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, select, update

from troth.identity.oauth.store import device_codes, refreshes, services, tokens
from troth.storage.database import Database


def holdings(database: Database, user: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Id and content of each service account that a person answers for."""
    columns = (services.c.id, services.c.name, services.c.scopes, services.c.created_at, services.c.expires_at)
    with database.read() as sql:
        rows = sql.execute(select(*columns).where(services.c.owner == user)).all()
    for row in rows:
        times = {"created_at": row.created_at, "expires_at": row.expires_at}
        yield row.id, {"name": row.name, "scopes": row.scopes.split(), **times}


def forget(sql: Sql, user: str) -> None:
    """Drop a person's codes and refresh tokens, in the caller's transaction.

    Nobody answers for their service accounts any more: those stop until somebody else does; those switched off go.
    """
    for table in (device_codes, refreshes):
        sql.execute(delete(table).where(table.c.user == user))
    mine = services.c.owner == user
    sql.execute(delete(tokens).where(tokens.c.service.in_(select(services.c.id).where(mine))))
    sql.execute(delete(services).where(mine, services.c.disabled_at.is_not(None)))
    sql.execute(update(services).where(mine).values(owner=None))


def close(sql: Sql, tenant: str) -> None:
    """Drop a tenant's service accounts and their tokens, in the caller's transaction."""
    for table in (tokens, services):
        sql.execute(delete(table).where(table.c.tenant == tenant))
