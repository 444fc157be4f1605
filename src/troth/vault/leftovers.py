"""What is left of a person in the vault when they leave: counted, so that somebody can look after it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from troth.storage.database import Database
from troth.vault.ground import subject_digest
from troth.vault.holds import holds
from troth.vault.rights.requests import OPEN
from troth.vault.rights.store import requests
from troth.vault.store import objects


def leftovers(database: Database, tenant: str, subject: str, now: int) -> Mapping[str, int]:
    """Live objects, holds that stand and open requests of one person. `now` in epoch milliseconds."""
    digest = subject_digest(tenant, subject)
    asked = {
        "objects": (objects.c.tenant == tenant, objects.c.subject == subject, objects.c.state == "live"),
        "holds": (
            holds.c.tenant == tenant,
            holds.c.subject_digest == digest,
            holds.c.lifted_at.is_(None),
            holds.c.ends_at > now,
        ),
        "requests": (requests.c.tenant == tenant, requests.c.subject == subject, requests.c.state.in_(OPEN)),
    }
    with database.read() as connection:
        return {
            what: int(connection.execute(select(func.count()).where(*which)).scalar_one())
            for what, which in asked.items()
        }
