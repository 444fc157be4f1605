"""Where identity keeps sealed fields: for whoever must move them to fresh keys."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_

from troth.identity.keys import KEY_NAME
from troth.identity.mfa.totp import OFFERED, SECRET
from troth.identity.store import api_keys, totp, users
from troth.identity.users import EMAIL, NAME, PASSWORD
from troth.keys.field_moving import SealedColumn


def _person(tenant: str, subject: str) -> ColumnElement[bool]:
    return and_(users.c.tenant == tenant, users.c.id == subject)


def _totp(_tenant: str, subject: str) -> ColumnElement[bool]:
    return totp.c.user == subject


def _key(_tenant: str, subject: str) -> ColumnElement[bool]:
    return api_keys.c.user == subject


SEALED = (
    SealedColumn(users, "email", EMAIL, _person),
    SealedColumn(users, "display_name", NAME, _person),
    SealedColumn(users, "password", PASSWORD, _person),
    SealedColumn(totp, "secret", SECRET, _totp),
    SealedColumn(totp, "pending", OFFERED, _totp),
    SealedColumn(api_keys, "name", KEY_NAME, _key),
)
