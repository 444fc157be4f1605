"""Where identity keeps sealed fields: for whoever must move them to fresh keys."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, literal

from troth.identity.api_keys.shown import KEY_NAME, KEY_NETWORKS
from troth.identity.certificates import authorities as authority
from troth.identity.certificates.devices import NAME as DEVICE_NAME
from troth.identity.certificates.store import authorities, devices
from troth.identity.governing.reasons import ELEVATION, GRANT
from troth.identity.governing.store import elevations
from troth.identity.mfa import passkeys as own
from troth.identity.mfa.totp import OFFERED, SECRET
from troth.identity.provisioned import groups as scim_groups
from troth.identity.provisioned import people as scim_people
from troth.identity.provisioned import tokens as scim_tokens
from troth.identity.scim.reading import GROUP as GROUP_PROFILE
from troth.identity.scim.reading import PROFILE
from troth.identity.scim.tokens import NAME as TOKEN_NAME
from troth.identity.scim.tokens import SEALED_FOR as PROVISIONING
from troth.identity.sso.connections import SEALED_FOR
from troth.identity.sso.connections import SECRET as SSO_SECRET
from troth.identity.sso.links import SUBJECT
from troth.identity.sso.store import connections, links
from troth.identity.store import api_keys, grants, passkeys, totp, users
from troth.identity.users import EMAIL, NAME, PASSWORD
from troth.keys.field_moving import SealedColumn


def _person(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(users.c.tenant == tenant, users.c.id == subject)


def _totp(_tenant: str, subject: str) -> ColumnElement[bool]:
    return totp.c.user == subject


def _key(_tenant: str, subject: str) -> ColumnElement[bool]:
    return api_keys.c.user == subject


def _connection(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(connections.c.tenant == tenant, literal(subject) == SEALED_FOR)


def _link(_tenant: str, subject: str) -> ColumnElement[bool]:
    return links.c.user == subject


def _passkey(_tenant: str, subject: str) -> ColumnElement[bool]:
    return passkeys.c.user == subject


def _grant(_tenant: str, subject: str) -> ColumnElement[bool]:
    return grants.c.user == subject


def _elevation(_tenant: str, subject: str) -> ColumnElement[bool]:
    return elevations.c.user == subject


def _token(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(scim_tokens.c.tenant == tenant, literal(subject) == PROVISIONING)


def _group(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(scim_groups.c.tenant == tenant, literal(subject) == PROVISIONING)


def _provisioned(_tenant: str, subject: str) -> ColumnElement[bool]:
    return scim_people.c.user == subject


def _device(_tenant: str, subject: str) -> ColumnElement[bool]:
    return devices.c.user == subject


def _authority(tenant: str, subject: str) -> ColumnElement[bool]:
    return literal((tenant, subject) == authority.SEALED_FOR)


SEALED = (
    SealedColumn(devices, "name", DEVICE_NAME, _device),
    SealedColumn(authorities, "key", authority.KEY, _authority),
    SealedColumn(users, "email", EMAIL, _person),
    SealedColumn(users, "display_name", NAME, _person),
    SealedColumn(users, "password", PASSWORD, _person),
    SealedColumn(grants, "reason", GRANT, _grant),
    SealedColumn(elevations, "reason", ELEVATION, _elevation),
    SealedColumn(totp, "secret", SECRET, _totp),
    SealedColumn(totp, "pending", OFFERED, _totp),
    SealedColumn(api_keys, "name", KEY_NAME, _key),
    SealedColumn(api_keys, "networks", KEY_NETWORKS, _key),
    SealedColumn(passkeys, "credential", own.CREDENTIAL, _passkey),
    SealedColumn(passkeys, "public_key", own.PUBLIC_KEY, _passkey),
    SealedColumn(passkeys, "name", own.NAME, _passkey),
    SealedColumn(connections, "secret", SSO_SECRET, _connection),
    SealedColumn(links, "subject", SUBJECT, _link),
    SealedColumn(scim_tokens, "name", TOKEN_NAME, _token),
    SealedColumn(scim_people, "profile", PROFILE, _provisioned),
    SealedColumn(scim_groups, "profile", GROUP_PROFILE, _group),
)
