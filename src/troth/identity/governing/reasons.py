"""Why somebody has a role, in the words of who gave it: sealed for the person it is about, gone with their keys."""

from __future__ import annotations

from sqlalchemy import select

from troth.identity.store import users
from troth.kernel.details import MAX_REASON, printable
from troth.kernel.errors import Gone, NotFound
from troth.kernel.personal import PersonalFields
from troth.storage.database import Database

GRANT = "grant-reason"  # labels of the sealed fields
ELEVATION = "elevation-reason"


class Reasons:
    """Seals and opens them. Keys may have to be asked for, so never within a transaction."""

    def __init__(self, database: Database, fields: PersonalFields) -> None:
        self._database = database
        self._fields = fields

    def sealed(self, tenant: str | None, user: str, text: str, label: str = GRANT) -> bytes:
        """The text, sealed for a person of the tenant. Raises `NotFound` for anybody else: no key is made for one."""
        mine = select(users.c.id).where(users.c.id == user, users.c.tenant == tenant)
        with self._database.read() as connection:
            here = connection.execute(mine).first() is not None
        if tenant is None or not here:
            raise NotFound("There is no such person here; list the people to see their ids.", code="user-not-found")
        return self._fields.seal(tenant, user, label, printable(text, MAX_REASON).encode())

    def opened(self, tenant: str, user: str, sealed: bytes | None, label: str = GRANT) -> str | None:
        """The text; None where none was said, or its keys are gone."""
        if sealed is None:
            return None
        try:
            return self._fields.open(tenant, user, label, bytes(sealed)).decode()
        except Gone:
            return None
