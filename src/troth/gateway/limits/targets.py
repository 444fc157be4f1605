"""Whom a limit or budget can be set for: people, API keys and service accounts of one tenant."""

from __future__ import annotations

from sqlalchemy import Connection, literal, select

from troth.identity.oauth.store import services
from troth.identity.store import api_keys, users
from troth.kernel.errors import NotFound


def owner_of(connection: Connection, tenant: str, scope: str, target: str) -> str:
    """The person whose it is; empty for a service account, which outlives who answers for it.

    Raises `NotFound` (limit-target-not-found) for what is not of this tenant.
    """
    people = select(users.c.id).where(users.c.tenant == tenant)
    wanted = {
        "user": people.where(users.c.id == target),
        "key": people.join(api_keys, api_keys.c.user == users.c.id).where(api_keys.c.id == target),
        "service": select(literal("")).where(services.c.tenant == tenant, services.c.id == target),
    }["service" if scope == "key" and target.startswith("svc_") else scope]
    found = connection.execute(wanted).first()
    if found is None:
        raise NotFound("There is no such person or key in your tenant; list them to see their ids.",
                       code="limit-target-not-found", field="target")  # fmt: skip
    return str(found[0])
