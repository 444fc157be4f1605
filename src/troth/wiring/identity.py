"""Builds who people are."""

from __future__ import annotations

from troth.identity.api_keys.alarm import Alarm
from troth.identity.auditor_operations import AuditorOperations
from troth.identity.auditors import Auditors
from troth.identity.bootstrap import Bootstrap
from troth.identity.certificates.holding import SessionsOfDevices
from troth.identity.device_operations import DeviceOperations
from troth.identity.devices.bindings import Bindings
from troth.identity.devices.shown import Devices
from troth.identity.devices.spent import SpentProofs
from troth.identity.governing.reasons import Reasons
from troth.identity.holder import IdentityHolder
from troth.identity.key_operations import ApiKeyOperations
from troth.identity.keys import ApiKeys
from troth.identity.known_devices import KnownDevices
from troth.identity.mfa.challenges import Challenges
from troth.identity.mfa.passkeys import Passkeys
from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.relying_party import RelyingParty
from troth.identity.mfa.totp import Totp
from troth.identity.operations import IdentityOperations
from troth.identity.operators import OperatorOperations
from troth.identity.own_account import OwnAccount
from troth.identity.own_passkeys import OwnPasskeys
from troth.identity.passkey_operations import PasskeyOperations
from troth.identity.passkey_sign_in import PasskeySignIn
from troth.identity.passwords import Passwords
from troth.identity.people_operations import PeopleOperations
from troth.identity.privacy import PrivacySettings
from troth.identity.privileged import PasskeyGrace
from troth.identity.rectification import Rectification, RectificationOperations
from troth.identity.roles import Roles
from troth.identity.scim.tokens import ProvisioningTokens
from troth.identity.sessions import Sessions
from troth.identity.sign_in import SignIn
from troth.identity.sso.connections import Connections
from troth.identity.sso.ending import promoted
from troth.identity.sso.links import Links
from troth.identity.tenants import Tenants
from troth.identity.throttle import Throttle
from troth.identity.users import Users
from troth.kernel.caller import Connection
from troth.kernel.ids import new_id
from troth.promises.system import Base, Identity
from troth.settings.load import Settings
from troth.wiring.authorization_server import build_authorization_server
from troth.wiring.certificates import build_certificates, certificate_operations
from troth.wiring.provisioning import build_provisioning
from troth.wiring.single_sign_on import build_sso

_HTTPS = 443


def build_identity(base: Base) -> Identity:
    database, clock, fields = base.database, base.clock, base.fields
    links = Links(database, fields, clock)
    tenants, roles, passwords = Tenants(database, clock), Roles(database, clock, promoted), Passwords()
    users = Users(database, fields, passwords, clock)
    devices = Devices(SpentProofs(database, clock), clock, origins(base.settings))
    sessions, keys = _sessions(base, devices), _keys(base)
    privacy, reasons = PrivacySettings(database), Reasons(database, fields)
    passkeys = _passkeys(base)
    sign_in = _sign_in(base, users, passwords, passkeys, sessions)
    totp, recovery, throttle = sign_in.totp, sign_in.recovery, sign_in.throttle
    bindings = _bindings(base, devices, sign_in)
    own = OwnAccount(users=users, totp=totp, recovery=recovery, passkeys=passkeys, sessions=sessions, throttle=throttle)
    certificates = build_certificates(base, own)
    certified, issuer = certificates.services.certified, passkeys.party.origins[0]
    authorization = build_authorization_server(base, own, devices, issuer, certified)
    keeping = PasskeyOperations(sign_in=PasskeySignIn(sign_in=sign_in), own=OwnPasskeys(own=own))
    account = _account(base, sign_in, own, tenants, privacy)
    people = _people(base, own, roles, tenants=tenants, privacy=privacy, reasons=reasons)
    correcting = RectificationOperations(rectification=Rectification(database=database, fields=fields, own=own))
    auditors = Auditors(database, roles, clock)
    reading = AuditorOperations(auditors=auditors)
    provisioning = ProvisioningTokens(database, fields, clock)
    return Identity(
        tenants=tenants,
        users=users,
        roles=roles,
        sessions=sessions,
        keys=keys,
        bootstrap=Bootstrap(tenants=tenants, users=users, totp=totp, recovery=recovery),
        throttle=throttle,
        passkeys=passkeys,
        bindings=bindings,
        links=links,
        authorization=authorization,
        auditors=auditors,
        certificates=certificates,
        device_sessions=SessionsOfDevices(authorization.credentials, certificates.holding),
        provisioning=provisioning,
        holder=IdentityHolder(database, users, roles, sessions, keys, links=links, passkeys=passkeys, reasons=reasons),
        operations=(
            *(account, ApiKeyOperations(keys), people, correcting, reading, keeping),
            DeviceOperations(bindings=bindings),
            OperatorOperations(users=users, totp=totp),
            *certificate_operations(certificates),
            *build_sso(base, sign_in, roles, links, passkeys.party.origins[0]),
            *authorization.operations,
            *build_provisioning(base, provisioning, users, roles, passkeys.party.origins[0]),
        ),
    )


def _sessions(base: Base, devices: Devices) -> Sessions:
    limits = base.settings.identity
    absolute, idle = limits.session_hours * 3_600_000, limits.idle_minutes * 60_000
    return Sessions(base.database, base.clock, absolute_ms=absolute, idle_ms=idle, devices=devices)


def _keys(base: Base) -> ApiKeys:
    limits, alarm = base.settings.identity, Alarm(base.outbox, base.details, base.clock)
    longest, idle = limits.key_days, limits.key_idle_days
    return ApiKeys(base.database, base.fields, base.clock, longest_days=longest, idle_days=idle, alarm=alarm)


def _sign_in(base: Base, users: Users, passwords: Passwords, passkeys: Passkeys, sessions: Sessions) -> SignIn:
    database, clock, fields = base.database, base.clock, base.fields
    return SignIn(
        users=users,
        passwords=passwords,
        totp=Totp(database, fields, clock),
        recovery=RecoveryCodes(database),
        passkeys=passkeys,
        devices=KnownDevices(database, clock),
        throttle=Throttle(database, clock),
        sessions=sessions,
        recorder=base.outbox,
        details=base.details,
        clock=clock,
        provider_only=Connections(database, fields, clock).required,
    )


def _account(
    base: Base, sign_in: SignIn, own: OwnAccount, tenants: Tenants, privacy: PrivacySettings
) -> IdentityOperations:
    return IdentityOperations(
        sign_in=sign_in,
        own=own,
        sessions=own.sessions,
        users=own.users,
        tenants=tenants,
        privacy=privacy,
        grace=passkey_grace(base),
    )


def _people(
    base: Base, own: OwnAccount, roles: Roles, *, tenants: Tenants, privacy: PrivacySettings, reasons: Reasons
) -> PeopleOperations:
    return PeopleOperations(
        tenants=tenants,
        users=own.users,
        roles=roles,
        totp=own.totp,
        passkeys=own.passkeys,
        privacy=privacy,
        reasons=reasons,
        jurisdiction=base.settings.data.jurisdiction,
    )


def passkey_grace(base: Base) -> PasskeyGrace:
    """How long privileged people go without a passkey."""
    return PasskeyGrace(base.clock, base.settings.identity.passkey_grace_days)


def _passkeys(base: Base) -> Passkeys:
    return Passkeys(
        database=base.database,
        fields=base.fields,
        clock=base.clock,
        challenges=Challenges(base.database, base.clock),
        party=relying_party(base.settings),
    )


def _bindings(base: Base, devices: Devices, sign_in: SignIn) -> Bindings:
    def alarm(user: str, connection: Connection, code: str) -> None:
        account = sign_in.users.account_of(user)
        if account is not None:
            sign_in.refused(account, connection, new_id("req"), code)

    return Bindings(
        database=base.database,
        clock=base.clock,
        challenges=sign_in.passkeys.challenges,
        devices=devices,
        cookie_ms=base.settings.identity.bound_seconds * 1000,
        origin=sign_in.passkeys.party.origins[0],
        alarm=alarm,
    )


def origins(settings: Settings) -> tuple[str, ...]:
    """Our addresses as proofs of keys name them: the portal's, and that of the port for certificates."""
    server, known = settings.server, relying_party(settings).origins
    return known if not server.mtls_port else (*known, f"https://{server.name}:{server.mtls_port}")


def relying_party(settings: Settings) -> RelyingParty:
    """By default the address in the server's own settings; behind another front it must be said."""
    server, identity = settings.server, settings.identity
    port = "" if server.port == _HTTPS else f":{server.port}"  # as a browser writes an origin
    own = (f"https://{server.name}{port}",)
    return RelyingParty(identity.passkey_domain or server.name, identity.passkey_origins or own)
