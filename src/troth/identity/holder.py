"""Identity as a holder of personal data: what export shows, and what erasure drops."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from troth.identity.keys import ApiKeys
from troth.identity.privacy import PrivacySettings
from troth.identity.roles import Roles
from troth.identity.sessions import Sessions
from troth.identity.store import (
    api_keys,
    attempts,
    grants,
    known_devices,
    privacy_settings,
    recovery_codes,
    sessions,
    tenants,
    totp,
    users,
)
from troth.identity.throttle import strangers_bucket
from troth.identity.users import Users
from troth.kernel.data_class import DataClass
from troth.kernel.personal import Forgotten, Holding
from troth.storage.database import Database

ERASED_TENANT = "erased tenant"


class IdentityHolder:
    """Implements `kernel.personal.Holder` for accounts."""

    name = "identity"

    def __init__(self, database: Database, users: Users, roles: Roles, sessions: Sessions, keys: ApiKeys) -> None:
        self._database = database
        self._users = users
        self._roles = roles
        self._sessions = sessions
        self._keys = keys
        self._settings = PrivacySettings(database)

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """The account, its sessions and its keys; nothing for a person of another tenant."""
        if not self._is_of(tenant, subject):
            return []
        user = self._users.get(subject)
        account = {
            "email": user.email,
            "display_name": user.display_name,
            "active": user.active,
            "created_at": user.created_at,
            "roles": {grant.role: grant.expires_at for grant in self._roles.of(subject)},
            "privacy": self._settings.of(subject),
        }
        found = [_holding("account", subject, account)]
        for session in self._sessions.list(subject):
            content = {"zone": session.zone, "created_at": session.created_at, "seen_at": session.seen_at}
            found.append(_holding("session", session.id, content))
        for key in self._keys.list(tenant, subject):
            content = {"name": key.name, "scopes": list(key.scopes), "created_at": key.created_at}
            found.append(_holding("api-key", key.id, {**content, "used_at": key.used_at}))
        return found

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Drop the person and all that hangs on them; sessions and keys end with it. Idempotent."""
        mine = select(users.c.email_index).where(users.c.id == subject, users.c.tenant == tenant)
        with self._database.write() as connection:
            index = connection.execute(mine).scalar()
            if index is None:
                return Forgotten(self.name)
            gone = [subject]
            for table in (sessions, api_keys):
                gone += connection.execute(select(table.c.id).where(table.c.user == subject)).scalars()
            for table in (sessions, api_keys, recovery_codes, known_devices, totp, grants):
                connection.execute(delete(table).where(table.c.user == subject))
            connection.execute(delete(privacy_settings).where(privacy_settings.c.owner == subject))
            connection.execute(delete(attempts).where(attempts.c.bucket == strangers_bucket(index).key))
            connection.execute(delete(users).where(users.c.id == subject))
        return Forgotten(self.name, tuple(gone))

    def people(self, tenant: str) -> list[str]:
        """Everybody with an account in this tenant."""
        with self._database.read() as connection:
            return sorted(connection.execute(select(users.c.id).where(users.c.tenant == tenant)).scalars())

    def close(self, tenant: str) -> Forgotten:
        """Drop the tenant's name and settings. Its row stays: the log goes on under its id."""
        with self._database.write() as connection:
            connection.execute(delete(privacy_settings).where(privacy_settings.c.owner == tenant))
            connection.execute(update(tenants).where(tenants.c.id == tenant).values(name=ERASED_TENANT))
        return Forgotten(self.name)

    def _is_of(self, tenant: str, subject: str) -> bool:
        mine = select(users.c.id).where(users.c.id == subject, users.c.tenant == tenant)
        with self._database.read() as connection:
            return connection.execute(mine).first() is not None


def _holding(kind: str, identifier: str, content: dict[str, Any]) -> Holding:
    return Holding("identity", kind, identifier, DataClass.ACCOUNT.value, content)
