"""Identity as a holder of personal data: what export shows, and what erasure drops."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update

from troth.identity.certificates import devices as certified
from troth.identity.governing.forgetting import forget as forget_access
from troth.identity.governing.forgetting import holdings as access_holdings
from troth.identity.governing.reasons import Reasons
from troth.identity.keys import ApiKeys
from troth.identity.mfa.passkeys import Owner, Passkeys
from troth.identity.oauth import forgetting as programs
from troth.identity.privacy import PrivacySettings
from troth.identity.provisioned import groups as scim_groups
from troth.identity.provisioned import members as scim_members
from troth.identity.provisioned import tokens as scim_tokens
from troth.identity.roles import Roles
from troth.identity.scim.people import forget as forget_provisioned
from troth.identity.scim.reading import holdings as provisioned
from troth.identity.sessions import Sessions
from troth.identity.sso.links import Links
from troth.identity.sso.links import forget as forget_links
from troth.identity.sso.store import attempts as sso_attempts
from troth.identity.sso.store import connections, domains
from troth.identity.store import (
    api_keys,
    attempts,
    custom_roles,
    grants,
    known_devices,
    passkeys,
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

    def __init__(
        self,
        database: Database,
        users: Users,
        roles: Roles,
        sessions: Sessions,
        keys: ApiKeys,
        *,
        links: Links,
        passkeys: Passkeys,
        reasons: Reasons,
    ) -> None:
        self._database = database
        self._links = links
        self._reasons = reasons
        self._users = users
        self._roles = roles
        self._sessions = sessions
        self._keys = keys
        self._passkeys = passkeys
        self._devices = certified.Devices(database=database, fields=passkeys.fields, clock=passkeys.clock)
        self._settings = PrivacySettings(database)

    def holdings(self, tenant: str, subject: str) -> list[Holding]:
        """The account, its sessions, passkeys and API keys; nothing for a person of another tenant."""
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
            limits = {"networks": key.networks, "models": key.models, "refused_at": key.refused_at}
            found.append(_holding("api-key", key.id, {**content, **limits, "used_at": key.used_at}))
        for passkey in self._passkeys.list(Owner(tenant, subject)):
            content = {"name": passkey.name, "created_at": passkey.created_at, "used_at": passkey.used_at}
            found.append(_holding("passkey", passkey.id, {**content, "backed_up": passkey.backed_up}))
        of_access = access_holdings(self._database, self._reasons, tenant, subject)
        of_provider = provisioned(self._database, self._passkeys.fields, tenant, subject)
        for kind, identifier, content in (*of_access, *of_provider, *self._devices.holdings(tenant, subject)):
            found.append(_holding(kind, identifier, content))
        for link in self._links.holdings(tenant, subject):
            found.append(_holding("sign-on-link", link.pop("id"), link))
        for service, content in programs.holdings(self._database, subject):
            found.append(_holding("service-account", service, content))
        return found

    def forget(self, tenant: str, subject: str) -> Forgotten:
        """Drop the person and all that hangs on them; sessions and keys end with it. Idempotent."""
        mine = select(users.c.email_index).where(users.c.id == subject, users.c.tenant == tenant)
        with self._database.write() as connection:
            index = connection.execute(mine).scalar()
            if index is None:
                return Forgotten(self.name)
            gone = [subject]
            for table in (sessions, api_keys, passkeys):
                gone += connection.execute(select(table.c.id).where(table.c.user == subject)).scalars()
            gone += [*forget_links(connection, subject), *forget_access(connection, subject)]
            gone += certified.forget(connection, subject)
            for table in (sessions, api_keys, passkeys, recovery_codes, known_devices, totp, grants):
                connection.execute(delete(table).where(table.c.user == subject))
            forget_provisioned(connection, subject)
            programs.forget(connection, subject)
            connection.execute(delete(privacy_settings).where(privacy_settings.c.owner == subject))
            connection.execute(delete(attempts).where(attempts.c.bucket == strangers_bucket(index).key))
            connection.execute(delete(users).where(users.c.id == subject))
        return Forgotten(self.name, tuple(gone))

    def people(self, tenant: str) -> list[str]:
        """Everybody with an account in this tenant."""
        with self._database.read() as connection:
            return sorted(connection.execute(select(users.c.id).where(users.c.tenant == tenant)).scalars())

    def close(self, tenant: str) -> Forgotten:
        """Drop the tenant's name, settings and connections. Its row stays: the log goes on under its id."""
        with self._database.write() as connection:
            connection.execute(delete(privacy_settings).where(privacy_settings.c.owner == tenant))
            for table in (sso_attempts, domains, connections, custom_roles, scim_members, scim_groups, scim_tokens):
                connection.execute(delete(table).where(table.c.tenant == tenant))
            programs.close(connection, tenant)
            certified.close(connection, tenant)
            connection.execute(update(tenants).where(tenants.c.id == tenant).values(name=ERASED_TENANT))
        return Forgotten(self.name)

    def _is_of(self, tenant: str, subject: str) -> bool:
        mine = select(users.c.id).where(users.c.id == subject, users.c.tenant == tenant)
        with self._database.read() as connection:
            return connection.execute(mine).first() is not None


def _holding(kind: str, identifier: str, content: dict[str, Any]) -> Holding:
    return Holding("identity", kind, identifier, DataClass.ACCOUNT.value, content)
