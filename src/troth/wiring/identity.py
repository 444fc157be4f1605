"""Builds who people are."""

from __future__ import annotations

from troth.identity.bootstrap import Bootstrap
from troth.identity.holder import IdentityHolder
from troth.identity.keys import ApiKeys
from troth.identity.known_devices import KnownDevices
from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.totp import Totp
from troth.identity.operations import IdentityOperations
from troth.identity.operators import OperatorOperations
from troth.identity.own_account import OwnAccount
from troth.identity.passwords import Passwords
from troth.identity.people_operations import PeopleOperations
from troth.identity.privacy import PrivacySettings
from troth.identity.rectification import Rectification, RectificationOperations
from troth.identity.roles import Roles
from troth.identity.sessions import Sessions
from troth.identity.sign_in import SignIn
from troth.identity.tenants import Tenants
from troth.identity.throttle import Throttle
from troth.identity.users import Users
from troth.promises.system import Base, Identity


def build_identity(base: Base) -> Identity:
    database, clock, fields = base.database, base.clock, base.fields
    tenants, roles, passwords = Tenants(database, clock), Roles(database, clock), Passwords()
    users = Users(database, fields, passwords, clock)
    limits = base.settings.identity
    sessions = Sessions(
        database, clock, absolute_ms=limits.session_hours * 3_600_000, idle_ms=limits.idle_minutes * 60_000
    )
    keys = ApiKeys(database, fields, clock, longest_days=limits.key_days)
    totp, recovery, throttle = Totp(database, fields, clock), RecoveryCodes(database), Throttle(database, clock)
    privacy = PrivacySettings(database)
    sign_in = SignIn(
        users=users,
        passwords=passwords,
        totp=totp,
        recovery=recovery,
        devices=KnownDevices(database, clock),
        throttle=throttle,
        sessions=sessions,
        recorder=base.outbox,
        clock=clock,
    )
    own = OwnAccount(users=users, totp=totp, recovery=recovery, sessions=sessions, throttle=throttle)
    account = IdentityOperations(
        sign_in=sign_in, own=own, sessions=sessions, users=users, tenants=tenants, privacy=privacy, keys=keys
    )
    people = PeopleOperations(
        tenants=tenants,
        users=users,
        roles=roles,
        totp=totp,
        privacy=privacy,
        jurisdiction=base.settings.data.jurisdiction,
    )
    correcting = RectificationOperations(rectification=Rectification(database=database, fields=fields, own=own))
    return Identity(
        tenants=tenants,
        users=users,
        roles=roles,
        sessions=sessions,
        keys=keys,
        bootstrap=Bootstrap(tenants=tenants, users=users, totp=totp, recovery=recovery),
        throttle=throttle,
        holder=IdentityHolder(database, users, roles, sessions, keys),
        operations=(account, people, OperatorOperations(users=users, totp=totp), correcting),
    )
