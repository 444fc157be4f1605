"""Leavers: one operation shuts a person out everywhere and says what is left of them for somebody to look after.

What ends, ends in one transaction: the account, sessions, keys, links, factors, devices, roles, elevations and the
designation for emergencies. What a person made stays theirs until it is shared, erased or expires: nobody is handed
another one's content by an administrator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import Table, delete, func, select, update

from troth.identity import keys, sessions
from troth.identity.governing.elevations import Elevations
from troth.identity.governing.elevations import end_all as end_elevations
from troth.identity.governing.store import break_glass
from troth.identity.oauth.store import device_codes, refreshes, services
from troth.identity.provisioned import members as scim_members
from troth.identity.provisioned import people as scim_people
from troth.identity.roles import check_givable, check_other_owner, lock_member
from troth.identity.sso.links import forget as forget_links
from troth.identity.store import grants, known_devices, passkeys, recovery_codes, totp, users
from troth.kernel.caller import Caller
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Denied
from troth.storage.database import metadata

Ends = Callable[[Sql, str], int]


@dataclass(frozen=True, slots=True)
class Left:
    """What ended and what is left, counted by kind; `roles` are those that the person had."""

    roles: tuple[str, ...]
    ended: Mapping[str, int]
    remains: Mapping[str, int]


def _dropped(table: Table) -> Ends:
    def end(connection: Sql, user: str) -> int:
        result: Any = connection.execute(delete(table).where(table.c.user == user))
        return int(result.rowcount)

    return end


def _out_of_use(connection: Sql, user: str) -> int:
    """Devices with certificates: marked, not dropped, for their keys never count again. The log has the moment."""
    devices = metadata.tables["certified_devices"]  # by name: what certifies them builds on what shuts people out
    standing = update(devices).where(devices.c.user == user, devices.c.revoked_at.is_(None))
    result: Any = connection.execute(standing.values(revoked_at=devices.c.renewed_at))
    return int(result.rowcount)


# What ends with a person, by the word that the answer has for it. Who gives people something new to hold adds it here.
ENDS: Mapping[str, Ends] = {
    "sessions": sessions.end_all,
    "api-keys": keys.end_all,
    "sign-on-links": lambda connection, user: len(forget_links(connection, user)),
    "passkeys": _dropped(passkeys),
    "authenticators": _dropped(totp),
    "recovery-codes": _dropped(recovery_codes),
    "known-devices": _dropped(known_devices),
    "certified-devices": _out_of_use,
    "refresh-tokens": _dropped(refreshes),
    "device-codes": _dropped(device_codes),
    "emergency-access": _dropped(break_glass),
    "provisioning": _dropped(scim_people),  # with it the provider's right to bring the person back
    "pushed-groups": _dropped(scim_members),
    "roles": _dropped(grants),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Offboards people. `remains` counts what is left of (tenant, person) in other rooms."""

    ledger: Elevations
    remains: Callable[[str, str], Mapping[str, int]]
    ends: Mapping[str, Ends]

    def offboard(self, by: Caller, user: str) -> Left:
        """Shut a person out for good. Again for somebody who is gone: then everything counts none.

        Raises `NotFound`, `Denied` (yourself, or roles that are not yours to take), `Conflict` (last owner).
        """
        if by.subject == user:
            raise Denied("Nobody disables themselves; ask another administrator.", code="own-account")
        ledger = self.ledger
        with ledger.database.write() as connection:
            lock_member(connection, by.tenant, user)
            held = tuple(connection.execute(select(grants.c.role).where(grants.c.user == user)).scalars())
            check_givable(by, frozenset(held))
            check_other_owner(connection, by.tenant, user, epoch_ms(ledger.clock.now()))
            connection.execute(update(users).where(users.c.id == user).values(active=False))
            lent = end_elevations(connection, ledger, user, by.actor)
            ended = {"elevations": lent} | {name: end(connection, user) for name, end in self.ends.items()}
            answered = select(func.count()).where(services.c.owner == user, services.c.disabled_at.is_(None))
            left = {"service-accounts": int(connection.execute(answered).scalar_one())}
        return Left(tuple(sorted(held)), ended, {**self.remains(str(by.tenant), user), **left})
